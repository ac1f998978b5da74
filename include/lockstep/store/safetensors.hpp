#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lockstep {

/// One fp32 tensor, row-major, under the name that readers look it up by.
struct NamedTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// The content of a safetensors file (the format of huggingface/safetensors: 8 bytes little-endian
/// length, a JSON header, the values): fp32 tensors and string metadata.
struct TensorFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws Error (store) naming `name` if it is absent or not of that shape.
  const NamedTensor& find(const std::string& name) const;
};

/// Writes under a temporary name, syncs, renames, syncs the folder. Throws Error (store).
void write_tensors(const std::filesystem::path& path, const TensorFile& file);

/// Throws Error (store) for a file that is missing, cut short, too large for its header, of another
/// kind or with values other than fp32.
TensorFile read_tensors(const std::filesystem::path& path);

}  // namespace lockstep
