#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "png.hpp"

namespace lockstep {

/// Lays an image with transparency, as pairs of grey value and alpha, over white, or over black
/// where that gives clearly more contrast (a white or yellow digit). The mixing is linear in the
/// grey values, as in a browser.
GreyImage flatten(std::span<const std::uint8_t> grey_alpha, std::size_t rows, std::size_t columns);

}  // namespace lockstep
