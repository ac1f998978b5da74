#include "metadata.hpp"

#include <charconv>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

template <typename T>
T parse(const TensorFile& file, const std::string& key) {
  const std::string& digits = metadata_text(file, key);
  const char* end = digits.data() + digits.size();
  T value{};
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end) {
    fail_as_model(file, fmt::format("its metadata '{}' is '{}'", key, digits));
  }
  return value;
}

}  // namespace

void fail_as_model(const TensorFile& file, const std::string& why) {
  throw Error(ExitCode::store, fmt::format("{}: no model of lockstep: {}; take the "
                                           "model.safetensors of a run",
                                           file.path.string(), why));
}

const std::string& metadata_text(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    fail_as_model(file, fmt::format("its metadata has no '{}'", key));
  }
  return found->second;
}

std::uint64_t metadata_whole(const TensorFile& file, const std::string& key, std::uint64_t high) {
  const auto value = parse<std::uint64_t>(file, key);
  if (value > high) {
    fail_as_model(file, fmt::format("its metadata '{}' is '{}'", key, metadata_text(file, key)));
  }
  return value;
}

double metadata_real(const TensorFile& file, const std::string& key) {
  return parse<double>(file, key);
}

}  // namespace lockstep
