#include <lockstep/store/sealed_tensors.hpp>

#include <fmt/format.h>

#include <span>
#include <string>

#include <lockstep/core/error.hpp>
#include <lockstep/core/sha256.hpp>
#include <lockstep/store/file.hpp>

#include "safetensors_bytes.hpp"

namespace lockstep {
namespace {

constexpr const char* seal_key = "seal";
const std::string open_seal(64, '0');

std::string sealed_entry(const std::string& seal) {
  return fmt::format(R"("{}":"{}")", seal_key, seal);
}

std::string sha256_of(const std::string& bytes) {
  return sha256_hex(std::as_bytes(std::span(bytes)));
}

/// Puts one seal in the place of another; false if it is not there.
bool replace_seal(std::string& bytes, const std::string& from, const std::string& to) {
  const std::size_t place = bytes.find(sealed_entry(from));
  if (place == std::string::npos) return false;
  bytes.replace(place, sealed_entry(from).size(), sealed_entry(to));
  return true;
}

}  // namespace

void write_sealed(const std::filesystem::path& path, TensorFile file) {
  file.metadata[seal_key] = open_seal;
  std::string bytes = to_bytes(file);
  replace_seal(bytes, open_seal, sha256_of(bytes));
  write_file(path, bytes);
}

TensorFile read_sealed(const std::filesystem::path& path) {
  std::string bytes = read_file(path);
  TensorFile file = from_bytes(bytes, path);
  const std::string seal = file.metadata[seal_key];
  file.metadata.erase(seal_key);
  if (!replace_seal(bytes, seal, open_seal) || sha256_of(bytes) != seal) {
    throw Error(ExitCode::store, fmt::format("{} was changed or damaged, or never sealed: its "
                                             "SHA-256 is not the one in it: choose another file",
                                             path.string()));
  }
  return file;
}

}  // namespace lockstep
