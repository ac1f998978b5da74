#pragma once

#include <string>
#include <string_view>

#include <lockstep/store/safetensors.hpp>

namespace lockstep {

/// What write_tensors writes and read_tensors reads.
std::string to_bytes(const TensorFile& file);
TensorFile from_bytes(std::string_view text, const std::filesystem::path& path);

}  // namespace lockstep
