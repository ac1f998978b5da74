#include <lockstep/store/safetensors.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include <lockstep/core/error.hpp>
#include <lockstep/store/file.hpp>

#include "safetensors_bytes.hpp"
#include "safetensors_header.hpp"

namespace lockstep {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's numbers are little-endian");

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t largest_header = 100'000'000;  // the format's own limit

/// The values must be those of the tensors, one after the other, no more and no less.
void check_places(const std::vector<Entry>& entries, std::uint64_t size,
                  const std::filesystem::path& path) {
  std::uint64_t place = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != place) {
      fail_as_safetensors(path, fmt::format("a gap before tensor '{}'", entry.tensor.name));
    }
    place = entry.end;
  }
  if (place > size) {
    fail_as_safetensors(path, fmt::format("cut short: {} of {} bytes of values", size, place));
  }
  if (place < size) {
    fail_as_safetensors(path, fmt::format("{} bytes follow the last tensor", size - place));
  }
}

}  // namespace

const NamedTensor& TensorFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const NamedTensor& tensor) { return tensor.name == name; });
  if (found == tensors.end()) {
    throw Error(ExitCode::store, fmt::format("{} has no tensor '{}': choose a model of lockstep",
                                             path.string(), name));
  }
  return *found;
}

const NamedTensor& TensorFile::find(const std::string& name,
                                    const std::vector<std::size_t>& shape) const {
  const NamedTensor& tensor = find(name);
  if (tensor.shape != shape) {
    throw Error(ExitCode::store,
                fmt::format("{}: tensor '{}' has shape {}, not {}: choose a model of lockstep",
                            path.string(), name, tensor.shape, shape));
  }
  return tensor;
}

std::string to_bytes(const TensorFile& file) {
  const std::string header = make_header(file);
  const std::uint64_t length = header.size();
  std::string text(length_bytes, '\0');
  std::memcpy(text.data(), &length, length_bytes);
  std::size_t bytes = length_bytes + header.size();
  for (const NamedTensor& tensor : file.tensors) bytes += tensor.values.size() * sizeof(float);
  text.reserve(bytes);
  text += header;
  for (const NamedTensor& tensor : file.tensors) {
    text.append(reinterpret_cast<const char*>(tensor.values.data()),
                tensor.values.size() * sizeof(float));
  }
  return text;
}

TensorFile from_bytes(std::string_view text, const std::filesystem::path& path) {
  if (text.size() < length_bytes) fail_as_safetensors(path, "shorter than 8 bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, text.data(), length_bytes);
  if (length > largest_header || length > text.size() - length_bytes) {
    fail_as_safetensors(path,
                        fmt::format("a header of {} bytes in a file of {}", length, text.size()));
  }
  const std::string_view values = text.substr(length_bytes + length);
  SafetensorsHeader header = parse_header(text.substr(length_bytes, length), path);
  check_places(header.entries, values.size(), path);

  TensorFile file{{}, std::move(header.metadata), path};
  for (Entry& entry : header.entries) {
    entry.tensor.values.resize((entry.end - entry.begin) / sizeof(float));
    if (entry.end > entry.begin) {
      std::memcpy(entry.tensor.values.data(), values.data() + entry.begin, entry.end - entry.begin);
    }
    file.tensors.push_back(std::move(entry.tensor));
  }
  return file;
}

void write_tensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file(path, to_bytes(file));
}

TensorFile read_tensors(const std::filesystem::path& path) {
  return from_bytes(read_file(path), path);
}

}  // namespace lockstep
