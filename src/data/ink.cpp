#include "ink.hpp"

#include <algorithm>
#include <vector>

#include "contrast.hpp"
#include "frame.hpp"
#include "paper.hpp"
#include "regions.hpp"
#include "scale.hpp"

namespace lockstep {
namespace {

constexpr std::size_t longest_side = 1024;      // finer detail is lost in the model's image anyway
constexpr std::size_t longest_paper_side = 64;  // shadows have no detail
constexpr std::size_t speck_share = 32;         // of the largest region's area

std::uint8_t to_byte(int value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

/// Paper is what the border shows most of, and the whole image: the border has twice the say, since
/// a bold digit may cover half of the image.
bool is_light_on_dark(const GreyImage& image) {
  const std::size_t frame = frame_depth(image);
  const auto [darkest, lightest] = std::ranges::minmax(image.pixels);
  const int middle = (darkest + lightest + 1) / 2;
  const auto light_share = [&](const std::vector<std::uint8_t>& pixels) {
    const auto light = std::ranges::count_if(pixels, [&](int pixel) { return pixel >= middle; });
    return static_cast<double>(light) / static_cast<double>(pixels.size());
  };
  return 2 * light_share(ring(image, frame)) + light_share(image.pixels) < 1.5;
}

GreyImage difference(const GreyImage& image, const GreyImage& paper, bool light) {
  GreyImage ink = image;
  const auto differ = [&](int pixel, int shade) {
    return to_byte(light ? pixel - shade : shade - pixel);
  };
  std::ranges::transform(image.pixels, paper.pixels, ink.pixels.begin(), differ);
  return ink;
}

/// The paper is estimated at the noise's upper end (its lower, for light ink): most pixels are
/// paper, so that the median is what the noise adds.
void remove_offset(GreyImage& ink) {
  std::vector<std::uint8_t> sorted = ink.pixels;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const int offset = std::min<int>(*middle, least_contrast);
  for (std::uint8_t& pixel : ink.pixels) pixel = to_byte(pixel - offset);
}

std::uint8_t strongest_of_largest(const GreyImage& ink) {
  const Regions regions = find_regions(ink, least_contrast);
  const auto largest = std::ranges::max_element(regions.list, {}, &Region::area);
  return largest == regions.list.end() ? std::uint8_t{0} : largest->strongest;
}

void stretch(GreyImage& ink, int strongest) {
  for (std::uint8_t& pixel : ink.pixels) {
    pixel = to_byte(pixel * 255 / strongest);
    if (pixel < faint) pixel = 0;
  }
}

GreyImage ink_of_strokes(const GreyImage& original) {
  const GreyImage image = shrink(original, longest_side);
  const bool light = is_light_on_dark(image);
  const GreyImage paper = without_strokes(shrink(image, longest_paper_side), light);
  GreyImage ink = difference(image, enlarge(paper, image.rows, image.columns), light);
  remove_offset(ink);
  remove_frame(ink);
  const int strongest = strongest_of_largest(ink);
  if (strongest == 0) return {};
  stretch(ink, strongest);
  remove_specks(ink);
  return ink;
}

GreyImage ink_of_areas(const GreyImage& image) {
  const int shade = paper_shade(image);
  const auto [darkest, lightest] = std::ranges::minmax(image.pixels);
  const bool light = lightest - shade > shade - darkest;
  GreyImage paper = image;
  std::ranges::fill(paper.pixels, static_cast<std::uint8_t>(shade));
  GreyImage ink = difference(image, paper, light);
  const int strongest = *std::ranges::max_element(ink.pixels);
  if (strongest < least_contrast) return {};
  stretch(ink, strongest);
  return ink;
}

}  // namespace

GreyImage ink_of(const GreyImage& image, bool strokes) {
  return strokes ? ink_of_strokes(image) : ink_of_areas(image);
}

void remove_specks(GreyImage& ink) {
  const Regions regions = find_regions(ink, faint);
  if (regions.list.empty()) return;
  const std::size_t largest = std::ranges::max(regions.list, {}, &Region::area).area;
  for (std::size_t i = 0; i < ink.pixels.size(); ++i) {
    const std::uint32_t number = regions.of_pixel[i];
    const bool keep = number != Regions::none && regions.list[number].strongest >= strong &&
                      regions.list[number].area * speck_share >= largest;
    if (!keep) ink.pixels[i] = 0;
  }
}

}  // namespace lockstep
