#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "box.hpp"
#include "png.hpp"

namespace lockstep {

/// Pixels that hang together, by a side or a corner.
struct Region {
  Box box;
  std::size_t area = 0;        // in pixels
  std::uint8_t strongest = 0;  // the largest value
  bool at_border = false;      // has a pixel on the image's border
};

/// The regions of an image, and to which of them a pixel belongs.
struct Regions {
  static constexpr std::uint32_t none = UINT32_MAX;
  std::vector<Region> list;
  std::vector<std::uint32_t> of_pixel;  // a place in `list`, or none
};

/// The regions of the pixels whose value is at least `least`, which is above 0.
Regions find_regions(const GreyImage& image, std::uint8_t least);

}  // namespace lockstep
