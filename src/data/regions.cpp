#include "regions.hpp"

#include <algorithm>

namespace lockstep {
namespace {

void extend(Range& range, std::size_t place) {
  range = {std::min(range.begin, place), std::max(range.end, place + 1)};
}

/// Finds one region after the other, each from one of its pixels outwards.
class Search {
 public:
  Search(const GreyImage& image, std::uint8_t least) : image_(image), least_(least) {
    found_.of_pixel.assign(image.pixels.size(), Regions::none);
  }

  Regions run() {
    for (std::size_t i = 0; i < image_.pixels.size(); ++i) {
      if (!is_new(i)) continue;
      found_.list.push_back({{{image_.rows, 0}, {image_.columns, 0}}});
      take(i);
      while (!open_.empty()) {
        const std::size_t next = open_.back();
        open_.pop_back();
        look_around(next);
      }
    }
    return std::move(found_);
  }

 private:
  bool is_new(std::size_t i) const {
    return image_.pixels[i] >= least_ && found_.of_pixel[i] == Regions::none;
  }

  void take(std::size_t i) {
    const std::size_t row = i / image_.columns;
    const std::size_t column = i % image_.columns;
    Region& region = found_.list.back();
    extend(region.box.rows, row);
    extend(region.box.columns, column);
    ++region.area;
    region.strongest = std::max(region.strongest, image_.pixels[i]);
    region.at_border |= row == 0 || row + 1 == image_.rows;
    region.at_border |= column == 0 || column + 1 == image_.columns;
    found_.of_pixel[i] = static_cast<std::uint32_t>(found_.list.size() - 1);
    open_.push_back(i);
  }

  void look_around(std::size_t i) {
    const std::size_t row = i / image_.columns;
    const std::size_t column = i % image_.columns;
    for (std::size_t r = row - (row > 0); r <= std::min(row + 1, image_.rows - 1); ++r) {
      for (std::size_t c = column - (column > 0); c <= std::min(column + 1, image_.columns - 1);
           ++c) {
        if (is_new(r * image_.columns + c)) take(r * image_.columns + c);
      }
    }
  }

  const GreyImage& image_;
  std::uint8_t least_;
  Regions found_;
  std::vector<std::size_t> open_;  // taken, their neighbours not yet
};

}  // namespace

Regions find_regions(const GreyImage& image, std::uint8_t least) {
  return Search(image, least).run();
}

}  // namespace lockstep
