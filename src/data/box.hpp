#pragma once

#include <lockstep/core/range.hpp>

namespace lockstep {

/// A rectangle of pixels in an image.
struct Box {
  Range rows;
  Range columns;
};

}  // namespace lockstep
