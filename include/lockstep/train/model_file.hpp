#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include <lockstep/core/buffer.hpp>
#include <lockstep/data/image_style.hpp>
#include <lockstep/model/shape.hpp>

namespace lockstep {

/// A trained network and where it comes from.
struct Model {
  ModelShape shape;
  Buffer<float> parameters;  // [parameter_count(shape)], in the layout of tensors(shape)
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;  // that it was trained
  std::string data;         // the name of the data set
  /// How its images look; none in a file of a lockstep that did not record it.
  std::optional<ImageStyle> images = {};
};

/// SHA-256 over the parameters as little-endian fp32, in the block's order: kernel, bias, head
/// kernel, head bias.
std::string weights_sha256(std::span<const float> parameters);

/// Writes a safetensors file, whole or not at all, with the names and shapes that torch.nn.RNN and
/// torch.nn.Linear load: rnn.weight_ih_l0 [hidden][columns], rnn.weight_hh_l0 [hidden][hidden],
/// rnn.bias_ih_l0 [hidden], rnn.bias_hh_l0 [hidden] of zeros, head.weight [classes][hidden],
/// head.bias [classes]; the rest in the metadata, `images` as image_background and image_ink (grey
/// values), image_extent (a number), image_centre (mass or box) and image_kind (strokes or areas).
/// Throws Error (store).
void write_model(const std::filesystem::path& path, const Model& model);

/// Throws Error (store) for a file that is no model of this kind, or whose weights differ from the
/// SHA-256 that it names.
Model read_model(const std::filesystem::path& path);

}  // namespace lockstep
