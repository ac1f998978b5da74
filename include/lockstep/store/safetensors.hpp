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
/// length, a JSON header, the values): fp32 tensors, in the order of their values in the file, and
/// string metadata.
struct TensorFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;
  std::filesystem::path path;  // where it was read from, for errors

  /// Throws Error (store) naming `name` if it is absent.
  const NamedTensor& find(const std::string& name) const;
  /// The same, also if it has another shape.
  const NamedTensor& find(const std::string& name, const std::vector<std::size_t>& shape) const;
};

/// Writes under a temporary name, syncs, renames, syncs the folder. Throws Error (store).
void write_tensors(const std::filesystem::path& path, const TensorFile& file);

/// Throws Error (store) for a file that is missing, cut short, too large for its header, of another
/// kind or with values other than fp32.
TensorFile read_tensors(const std::filesystem::path& path);

}  // namespace lockstep
