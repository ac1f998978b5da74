#include "flatten.hpp"

#include <algorithm>

namespace lockstep {
namespace {

constexpr int white = 255;
constexpr int black = 0;

int mixed(int grey, int alpha, int background) {
  return (grey * alpha + background * (255 - alpha) + 127) / 255;
}

/// White unless the strongest contrast is half as much again on black: a dark digit stays on white
/// where it has light spots, and so does a cut-out sheet of paper with dark ink.
int choose_background(std::span<const std::uint8_t> grey_alpha) {
  int on_white = 0;
  int on_black = 0;
  for (std::size_t i = 0; i < grey_alpha.size(); i += 2) {
    on_white = std::max(on_white, (255 - grey_alpha[i]) * grey_alpha[i + 1]);
    on_black = std::max(on_black, grey_alpha[i] * grey_alpha[i + 1]);
  }
  return 2 * on_black > 3 * on_white ? black : white;
}

}  // namespace

GreyImage flatten(std::span<const std::uint8_t> grey_alpha, std::size_t rows, std::size_t columns) {
  const int background = choose_background(grey_alpha);
  GreyImage flat{rows, columns, std::vector<std::uint8_t>(rows * columns)};
  for (std::size_t i = 0; i < flat.pixels.size(); ++i) {
    flat.pixels[i] =
        static_cast<std::uint8_t>(mixed(grey_alpha[2 * i], grey_alpha[2 * i + 1], background));
  }
  return flat;
}

}  // namespace lockstep
