#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include <lockstep/data/image_style.hpp>

namespace lockstep {

/// A user's PNG made to look like the images of a data set: rows * columns bytes, row by row. Any
/// size up to 64 Mpixel and any PNG kind; what is transparent becomes white, or black where that
/// gives clearly more contrast. An image of rows x columns pixels that already looks like the data
/// set's passes unchanged. Of any other:
///   - the ink is what differs most from the paper at the border, darker or lighter;
///   - where the style is of strokes, the paper may be lit unevenly, and a frame along the border
///   and
///     specks are left out; else the paper has one shade;
///   - the ink's bounding box is scaled by area to the style's extent, its strongest pixel set to
///     the style's ink, and its centre (of mass, or of the box) put into the middle.
/// Error (data): no PNG, cut short, too large, no ink.
std::vector<std::uint8_t> read_picture(const std::filesystem::path& png, std::size_t rows,
                                       std::size_t columns, const ImageStyle& style = {});

}  // namespace lockstep
