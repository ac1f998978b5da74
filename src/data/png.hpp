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

/// Any PNG up to 64 Mpixel, its transparency laid over white. Error (data).
GreyImage read_png(const std::filesystem::path& path);

}  // namespace lockstep
