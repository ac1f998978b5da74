#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace lockstep {

/// A user's PNG made like MNIST's pictures: rows * columns bytes, light ink on dark paper. Any size
/// up to 64 Mpixel and any PNG kind; what is transparent is white paper; dark on light or light on
/// dark shows in the border. The ink's bounding box is scaled by area to 20/28 of rows and columns,
/// at its darkest 255, and its centre of mass put into the middle. A picture of rows x columns
/// pixels that is light on dark passes unchanged. Error (data): no PNG, cut short, too large, no
/// ink.
std::vector<std::uint8_t> read_picture(const std::filesystem::path& png, std::size_t rows,
                                       std::size_t columns);

}  // namespace lockstep
