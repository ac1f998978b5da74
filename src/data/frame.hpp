#pragma once

#include "png.hpp"

namespace lockstep {

/// Removes the ink of what lies around a drawing and does not touch it: a frame or a desk along the
/// border of the image, where ink covers a quarter of the border; the outline of a box further
/// inside, of at least a third of the image's shorter side. Without a drawing inside, it is the
/// drawing.
void remove_frame(GreyImage& ink);

}  // namespace lockstep
