#include "placement.hpp"

#include <algorithm>
#include <cmath>

namespace lockstep {

Placement placement_of(const GreyImage& ink) {
  Placement result{{{ink.rows, 0}, {ink.columns, 0}}};
  double sum = 0;
  for (std::size_t i = 0; i < ink.pixels.size(); ++i) {
    if (ink.pixels[i] == 0) continue;
    const std::size_t row = i / ink.columns;
    const std::size_t column = i % ink.columns;
    Box& box = result.box;
    box.rows = {std::min(box.rows.begin, row), std::max(box.rows.end, row + 1)};
    box.columns = {std::min(box.columns.begin, column), std::max(box.columns.end, column + 1)};
    sum += ink.pixels[i];
    result.down += ink.pixels[i] * (static_cast<double>(row) + 0.5);
    result.right += ink.pixels[i] * (static_cast<double>(column) + 0.5);
  }
  if (sum == 0) return {};
  result.down = result.down / sum - static_cast<double>(ink.rows) / 2;
  result.right = result.right / sum - static_cast<double>(ink.columns) / 2;
  return result;
}

bool is_centred(const Placement& placement, const GreyImage& image) {
  constexpr double tolerance = 1.2 / 28;
  return std::abs(placement.down) <= tolerance * static_cast<double>(image.rows) &&
         std::abs(placement.right) <= tolerance * static_cast<double>(image.columns);
}

double extent_of(const Placement& placement, const GreyImage& image) {
  const auto share = [](const Range& range, std::size_t side) {
    return static_cast<double>(range.size()) / static_cast<double>(side);
  };
  return std::max(share(placement.box.rows, image.rows),
                  share(placement.box.columns, image.columns));
}

}  // namespace lockstep
