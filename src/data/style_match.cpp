#include "style_match.hpp"

#include <algorithm>
#include <cmath>

#include "contrast.hpp"
#include "placement.hpp"

namespace lockstep {
namespace {

constexpr int like_background = 8;         // grey values
constexpr int like_ink = 64;               // that an image's strongest ink may lack
constexpr double border_of_strokes = 0.9;  // least share of background on the border
constexpr double border_of_areas = 0.2;
constexpr double like_extent = 2.0 / 28;

/// Shares of the border's pixels.
struct Border {
  double background = 0;
  double ink = 0;
};

Border border_of(const GreyImage& image, const ImageStyle& style) {
  Border result;
  std::size_t count = 0;
  for (std::size_t r = 0; r < image.rows; ++r) {
    const bool whole = r == 0 || r + 1 == image.rows;
    const std::size_t stride = whole || image.columns < 2 ? 1 : image.columns - 1;
    for (std::size_t c = 0; c < image.columns; c += stride, ++count) {
      const int pixel = image.pixels[r * image.columns + c];
      result.background += std::abs(pixel - style.background) <= like_background ? 1 : 0;
      result.ink += std::abs(pixel - style.ink) <= like_background ? 1 : 0;
    }
  }
  return {result.background / static_cast<double>(count), result.ink / static_cast<double>(count)};
}

bool is_strong(const GreyImage& image, const ImageStyle& style) {
  const int contrast = style.ink - style.background;
  return std::ranges::any_of(image.pixels, [&](int pixel) {
    return (contrast > 0 ? style.ink - pixel : pixel - style.ink) <=
           std::min(like_ink, std::abs(contrast) / 2);
  });
}

}  // namespace

GreyImage ink_in_style(const GreyImage& image, const ImageStyle& style) {
  const int contrast = style.ink - style.background;
  GreyImage ink = image;
  for (std::uint8_t& pixel : ink.pixels) {
    const int value = std::clamp((pixel - style.background) * 255 / contrast, 0, 255);
    pixel = value < faint ? std::uint8_t{0} : static_cast<std::uint8_t>(value);
  }
  return ink;
}

bool looks_like(const GreyImage& image, const ImageStyle& style) {
  if (!is_strong(image, style)) return false;
  const Border border = border_of(image, style);
  if (border.background < (style.strokes ? border_of_strokes : border_of_areas) ||
      border.background < border.ink) {
    return false;
  }
  if (!style.centred) return true;
  const Placement placement = placement_of(ink_in_style(image, style));
  return is_centred(placement, image) &&
         std::abs(extent_of(placement, image) - style.extent) <= like_extent;
}

}  // namespace lockstep
