#include <lockstep/data/image_style.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "contrast.hpp"
#include "ink.hpp"
#include "paper.hpp"
#include "placement.hpp"
#include "style_match.hpp"

namespace lockstep {
namespace {

constexpr std::size_t most_images = 500;

std::vector<GreyImage> first_images(const Samples& samples, std::size_t count) {
  std::vector<GreyImage> images;
  for (std::size_t i = 0; i < std::min({count, samples.size(), most_images}); ++i) {
    const std::uint8_t* const pixels = samples.picture(i);
    images.push_back(
        {samples.rows, samples.columns, {pixels, pixels + samples.rows * samples.columns}});
    const auto [least, most] = std::ranges::minmax(images.back().pixels);
    if (least == most) images.pop_back();
  }
  return images;
}

template <typename T>
T median(std::vector<T> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

bool hold(std::size_t count, std::size_t of) {
  return count * 100 >= of * 99;
}

/// The border's most frequent value: areas may cover much of it.
std::uint8_t background_of(const std::vector<GreyImage>& images) {
  std::array<std::size_t, 256> counts{};
  for (const GreyImage& image : images) {
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      const std::size_t row = i / image.columns;
      const std::size_t column = i % image.columns;
      const bool border =
          row == 0 || row + 1 == image.rows || column == 0 || column + 1 == image.columns;
      if (border) ++counts[image.pixels[i]];
    }
  }
  return static_cast<std::uint8_t>(std::ranges::max_element(counts) - counts.begin());
}

std::uint8_t ink_of(const std::vector<GreyImage>& images, int background) {
  std::vector<std::uint8_t> extremes;
  for (const GreyImage& image : images) {
    extremes.push_back(std::ranges::max(image.pixels, {},
                                        [&](int pixel) { return std::abs(pixel - background); }));
  }
  return median(std::move(extremes));
}

/// Whether nothing is as thick as half of the image.
bool is_of_strokes(const GreyImage& ink) {
  return std::ranges::max(without_strokes(ink, true).pixels) < strong;
}

}  // namespace

ImageStyle describe_images(const Samples& samples, std::size_t count) {
  const std::vector<GreyImage> images = first_images(samples, count);
  ImageStyle style;
  if (images.empty()) return style;
  style.background = background_of(images);
  style.ink = ink_of(images, style.background);
  std::size_t strokes = 0;
  std::size_t centred = 0;
  std::vector<double> extents;
  for (const GreyImage& image : images) {
    GreyImage ink = ink_in_style(image, style);
    strokes += is_of_strokes(ink) ? 1 : 0;
    remove_specks(ink);
    const Placement placement = placement_of(ink);
    centred += is_centred(placement, image) ? 1 : 0;
    extents.push_back(extent_of(placement, image));
  }
  style.strokes = hold(strokes, images.size());
  style.centred = hold(centred, images.size());
  style.extent = median(std::move(extents));
  return style;
}

}  // namespace lockstep
