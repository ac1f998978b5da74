#pragma once

#include <filesystem>

#include <lockstep/store/safetensors.hpp>

namespace lockstep {

/// A safetensors file that knows itself whole: its metadata has a "seal", the SHA-256 (hex) over
/// all bytes of the file, header included, with the seal's own 64 digits as zeros.

/// As write_tensors, with the seal.
void write_sealed(const std::filesystem::path& path, TensorFile file);

/// As read_tensors; throws Error (store) also if a single byte is not the one that was written.
TensorFile read_sealed(const std::filesystem::path& path);

}  // namespace lockstep
