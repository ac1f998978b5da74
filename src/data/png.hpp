#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace lockstep {

/// Grey values, 0 black and 255 white, row by row.
struct GreyImage {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::uint8_t> pixels;
};

/// Any PNG up to 64 Mpixel as grey values, see flatten() for what is transparent. Error (data): no
/// PNG, cut short, too large.
GreyImage read_png(const std::filesystem::path& path);

}  // namespace lockstep
