#include "scale.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep {
namespace {

/// The two pixels of a line that lie around a place on the enlarged line, and the second's weight.
struct Neighbours {
  std::size_t first;
  std::size_t second;
  double weight;
};

std::vector<Neighbours> neighbours(std::size_t size, std::size_t enlarged) {
  std::vector<Neighbours> result;
  const double ratio = static_cast<double>(size) / static_cast<double>(enlarged);
  for (std::size_t i = 0; i < enlarged; ++i) {
    const double place = std::clamp((static_cast<double>(i) + 0.5) * ratio - 0.5, 0.0,
                                    static_cast<double>(size - 1));
    const auto first = static_cast<std::size_t>(place);
    result.push_back({first, std::min(first + 1, size - 1), place - std::floor(place)});
  }
  return result;
}

}  // namespace

std::vector<double> scale_by_area(const GreyImage& image, const Box& box, std::size_t rows,
                                  std::size_t columns) {
  std::vector<double> scaled(rows * columns);
  const double y_ratio = static_cast<double>(rows) / static_cast<double>(box.rows.size());
  const double x_ratio = static_cast<double>(columns) / static_cast<double>(box.columns.size());
  // An old pixel covers [i, i + 1) * ratio of the new ones: give each its part.
  const auto spread = [](std::size_t i, double ratio, std::size_t size, const auto& give) {
    const double begin = static_cast<double>(i) * ratio;
    const double end = begin + ratio;
    for (auto k = static_cast<std::size_t>(begin); k < size && static_cast<double>(k) < end; ++k) {
      const auto place = static_cast<double>(k);
      give(k, std::min(end, place + 1) - std::max(begin, place));
    }
  };
  for (std::size_t r = 0; r < box.rows.size(); ++r) {
    const std::uint8_t* const line = &image.pixels[(box.rows.begin + r) * image.columns];
    spread(r, y_ratio, rows, [&](std::size_t y, double height) {
      for (std::size_t c = 0; c < box.columns.size(); ++c) {
        const double ink = line[box.columns.begin + c] * height;
        if (ink == 0) continue;
        spread(c, x_ratio, columns,
               [&](std::size_t x, double width) { scaled[y * columns + x] += ink * width; });
      }
    });
  }
  return scaled;
}

GreyImage shrink(const GreyImage& image, std::size_t longest) {
  const std::size_t side = std::max(image.rows, image.columns);
  if (side <= longest) return image;
  const double ratio = static_cast<double>(longest) / static_cast<double>(side);
  GreyImage small{scaled_side(image.rows, ratio), scaled_side(image.columns, ratio), {}};
  const Box whole{{0, image.rows}, {0, image.columns}};
  for (const double value : scale_by_area(image, whole, small.rows, small.columns)) {
    small.pixels.push_back(static_cast<std::uint8_t>(std::min(value + 0.5, 255.0)));
  }
  return small;
}

GreyImage enlarge(const GreyImage& image, std::size_t rows, std::size_t columns) {
  GreyImage large{rows, columns, {}};
  large.pixels.reserve(rows * columns);
  const auto across = neighbours(image.columns, columns);
  for (const Neighbours& y : neighbours(image.rows, rows)) {
    const std::uint8_t* const upper = &image.pixels[y.first * image.columns];
    const std::uint8_t* const lower = &image.pixels[y.second * image.columns];
    for (const Neighbours& x : across) {
      const double above = upper[x.first] * (1 - x.weight) + upper[x.second] * x.weight;
      const double below = lower[x.first] * (1 - x.weight) + lower[x.second] * x.weight;
      const double value = above * (1 - y.weight) + below * y.weight;
      large.pixels.push_back(static_cast<std::uint8_t>(value + 0.5));
    }
  }
  return large;
}

std::size_t scaled_side(std::size_t side, double ratio) {
  return std::max<std::size_t>(1,
                               static_cast<std::size_t>(static_cast<double>(side) * ratio + 0.5));
}

}  // namespace lockstep
