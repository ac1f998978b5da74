#pragma once

#include <cstdint>
#include <string>

#include <lockstep/store/safetensors.hpp>

namespace lockstep {

// Values of a model file's or checkpoint's metadata. All throw Error (store) that names file and
// key where it is missing or of another kind.

const std::string& metadata_text(const TensorFile& file, const std::string& key);
std::uint64_t metadata_whole(const TensorFile& file, const std::string& key, std::uint64_t high);
double metadata_real(const TensorFile& file, const std::string& key);

/// The failure of a file that is whole but not what it should be.
[[noreturn]] void fail_as_model(const TensorFile& file, const std::string& why);

}  // namespace lockstep
