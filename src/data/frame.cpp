#include "frame.hpp"

#include <algorithm>
#include <vector>

#include "contrast.hpp"
#include "regions.hpp"

namespace lockstep {
namespace {

std::size_t shorter_side(const Box& box) {
  return std::min(box.rows.size(), box.columns.size());
}

std::size_t longer_side(const Box& box) {
  return std::max(box.rows.size(), box.columns.size());
}

std::size_t perimeter(const Box& box) {
  return 2 * (box.rows.size() + box.columns.size()) - 4;
}

bool is_on_outline(const Box& box, std::size_t row, std::size_t column) {
  return row == box.rows.begin || row + 1 == box.rows.end || column == box.columns.begin ||
         column + 1 == box.columns.end;
}

bool is_inside(const Box& outer, const Box& inner) {
  return outer.rows.begin < inner.rows.begin && inner.rows.end < outer.rows.end &&
         outer.columns.begin < inner.columns.begin && inner.columns.end < outer.columns.end;
}

/// Whether a region lies inside the box whose longer side is a `part`th of the box's shorter one.
bool holds_drawing(const Regions& regions, const Box& box, std::size_t part) {
  return std::ranges::any_of(regions.list, [&](const Region& region) {
    return is_inside(box, region.box) && longer_side(region.box) * part >= shorter_side(box);
  });
}

/// How many pixels of each region lie on the outline of its own box.
std::vector<std::size_t> outlines(const Regions& regions, std::size_t columns) {
  std::vector<std::size_t> counts(regions.list.size());
  for (std::size_t i = 0; i < regions.of_pixel.size(); ++i) {
    const std::uint32_t number = regions.of_pixel[i];
    if (number == Regions::none) continue;
    counts[number] += is_on_outline(regions.list[number].box, i / columns, i % columns) ? 1 : 0;
  }
  return counts;
}

std::size_t ink_on_border(const Regions& regions, const Box& image) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < regions.of_pixel.size(); ++i) {
    const bool border = is_on_outline(image, i / image.columns.size(), i % image.columns.size());
    count += border && regions.of_pixel[i] != Regions::none ? 1 : 0;
  }
  return count;
}

}  // namespace

void remove_frame(GreyImage& ink) {
  const Regions regions = find_regions(ink, least_contrast);
  const Box image{{0, ink.rows}, {0, ink.columns}};
  const bool at_border =
      ink_on_border(regions, image) * 4 >= perimeter(image) && holds_drawing(regions, image, 8);
  const std::vector<std::size_t> outline = outlines(regions, ink.columns);
  std::vector<bool> frames(regions.list.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Region& region = regions.list[i];
    const bool box = shorter_side(region.box) * 3 >= shorter_side(image) &&
                     outline[i] * 4 >= perimeter(region.box) * 3;
    frames[i] = (at_border && region.at_border) || (box && holds_drawing(regions, region.box, 4));
  }
  for (std::size_t i = 0; i < ink.pixels.size(); ++i) {
    const std::uint32_t number = regions.of_pixel[i];
    if (number != Regions::none && frames[number]) ink.pixels[i] = 0;
  }
}

}  // namespace lockstep
