#pragma once

#include "box.hpp"
#include "png.hpp"

namespace lockstep {

/// Where the ink of an image lies.
struct Placement {
  Box box;           // around all ink, empty where there is none
  double down = 0;   // centre of mass below the image's middle, in pixels
  double right = 0;  // and to the right of it
};

Placement placement_of(const GreyImage& ink);

/// Whether the centre of mass is the middle, to 1.2 pixels of 28 (MNIST's are within 1.0).
bool is_centred(const Placement& placement, const GreyImage& image);

/// The share of the image's rows or columns that the box spans, whichever is larger.
double extent_of(const Placement& placement, const GreyImage& image);

}  // namespace lockstep
