#pragma once

#include <span>
#include <string>
#include <vector>

#include <lockstep/model/shape.hpp>
#include <lockstep/store/safetensors.hpp>
#include <lockstep/train/model_file.hpp>

namespace lockstep {

/// Adds a block of parameters (or of anything with one value for each), in the layout of
/// tensors(shape), under prefix + the names and in the shapes of torch.nn.RNN and torch.nn.Linear.
void add_tensors(TensorFile& file, const std::string& prefix, const ModelShape& shape,
                 std::span<const float> block);

/// The block again. Throws Error (store) where a tensor is missing or of another shape.
std::vector<float> find_block(const TensorFile& file, const std::string& prefix,
                              const ModelShape& shape);

/// A model file's content, and back; see write_model and read_model.
TensorFile to_tensor_file(const Model& model);
Model to_model(const TensorFile& file);

}  // namespace lockstep
