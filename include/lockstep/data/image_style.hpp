#pragma once

#include <cstddef>
#include <cstdint>

#include <lockstep/data/dataset.hpp>

namespace lockstep {

/// How the images of a data set look, as far as a user's own image must be made to look alike. The
/// defaults are MNIST's.
struct ImageStyle {
  std::uint8_t background = 0;  // grey value of most of the border
  std::uint8_t ink = 255;       // grey value that differs most from it, in a typical image
  double extent = 20.0 / 28;    // how much of rows or columns the ink spans, in (0, 1]
  bool centred = true;  // the ink's centre of mass is the image's middle, else that of its box
  bool strokes = true;  // thin lines, as of a pen; else areas, as of a garment

  bool operator==(const ImageStyle&) const = default;
};

/// The style of the first `count` images (at most 500 of them), by what holds for 99 of 100. MNIST
/// gives the defaults. Images of one grey value count for nothing; where all are, the
/// result is the default.
ImageStyle describe_images(const Samples& samples, std::size_t count);

}  // namespace lockstep
