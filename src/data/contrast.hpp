#pragma once

#include <cstdint>

namespace lockstep {

// In grey values of 255.
constexpr int least_contrast = 32;    // less is noise of the paper
constexpr std::uint8_t faint = 32;    // ink below this, after stretching to 255, counts as paper
constexpr std::uint8_t strong = 128;  // what is ink has a pixel of this, after stretching

}  // namespace lockstep
