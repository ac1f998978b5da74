#pragma once

#include <cstddef>
#include <vector>

#include "box.hpp"
#include "png.hpp"

namespace lockstep {

/// Scales a part of an image to rows x columns: a new pixel is the mean over the area it covers.
std::vector<double> scale_by_area(const GreyImage& image, const Box& box, std::size_t rows,
                                  std::size_t columns);

/// The image, or a smaller copy whose longer side is `longest` pixels.
GreyImage shrink(const GreyImage& image, std::size_t longest);

/// The image enlarged to rows x columns, bilinear between the centres of its pixels.
GreyImage enlarge(const GreyImage& image, std::size_t rows, std::size_t columns);

/// A side times a ratio, to the nearest pixel, at least 1.
std::size_t scaled_side(std::size_t side, double ratio);

}  // namespace lockstep
