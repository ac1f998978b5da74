#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/store/safetensors.hpp>

namespace lockstep {

/// A tensor and the bytes [begin, end) of the values that are its own.
struct Entry {
  NamedTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The JSON at the beginning of a safetensors file. `entries` are in the order of their places.
struct SafetensorsHeader {
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
};

/// Every entry's shape and offsets agree; whether the offsets fit the file is not looked at. Throws
/// Error (store) naming `path`.
SafetensorsHeader parse_header(std::string_view text, const std::filesystem::path& path);

/// Padded with spaces to a multiple of 8 bytes, so that the values are aligned.
std::string make_header(const TensorFile& file);

[[noreturn]] void fail_as_safetensors(const std::filesystem::path& path, const std::string& reason);

}  // namespace lockstep
