#include <lockstep/data/picture.hpp>

#include <algorithm>
#include <cmath>
#include <span>

#include "errors.hpp"
#include "ink.hpp"
#include "placement.hpp"
#include "png.hpp"
#include "scale.hpp"
#include "style_match.hpp"

namespace lockstep {
namespace {

/// Where a block of `size` goes among `whole` places so that its centre lies in the middle.
std::size_t centred(double centre, std::size_t size, std::size_t whole) {
  const double begin = static_cast<double>(whole) / 2 - centre;
  return static_cast<std::size_t>(
      std::clamp(std::floor(begin + 0.5), 0.0, static_cast<double>(whole - size)));
}

/// Row and column.
struct Point {
  double y = 0;
  double x = 0;
};

Point centre_of_mass(std::span<const double> ink, std::size_t columns) {
  double sum = 0;
  Point centre;
  for (std::size_t i = 0; i < ink.size(); ++i) {
    sum += ink[i];
    centre.y += ink[i] * (static_cast<double>(i / columns) + 0.5);
    centre.x += ink[i] * (static_cast<double>(i % columns) + 0.5);
  }
  return {centre.y / sum, centre.x / sum};
}

/// Puts ink of ink_columns columns into the middle of an image.
std::vector<std::uint8_t> place(std::span<const double> ink, std::size_t ink_columns,
                                std::size_t rows, std::size_t columns, const ImageStyle& style) {
  const std::size_t ink_rows = ink.size() / ink_columns;
  const Point centre = style.centred ? centre_of_mass(ink, ink_columns)
                                     : Point{static_cast<double>(ink_rows) / 2,
                                             static_cast<double>(ink_columns) / 2};
  const std::size_t top = centred(centre.y, ink_rows, rows);
  const std::size_t left = centred(centre.x, ink_columns, columns);
  const double scale = (style.ink - style.background) / std::ranges::max(ink);
  std::vector<std::uint8_t> image(rows * columns, style.background);
  for (std::size_t i = 0; i < ink.size(); ++i) {
    const std::size_t target = (top + i / ink_columns) * columns + left + i % ink_columns;
    image[target] = static_cast<std::uint8_t>(style.background + ink[i] * scale + 0.5);
  }
  return image;
}

}  // namespace

std::vector<std::uint8_t> read_picture(const std::filesystem::path& png, std::size_t rows,
                                       std::size_t columns, const ImageStyle& style) {
  const GreyImage image = read_png(png);
  if (image.rows == rows && image.columns == columns && looks_like(image, style)) {
    return image.pixels;
  }
  const GreyImage ink = ink_of(image, style.strokes);
  if (ink.pixels.empty()) {
    throw data_error(png, "shows no ink, only paper; draw a digit, dark on light or light on dark");
  }
  const Box box = placement_of(ink).box;
  const auto ratio = [&](std::size_t side, std::size_t ink_side) {
    return static_cast<double>(scaled_side(side, style.extent)) / static_cast<double>(ink_side);
  };
  const double scale = std::min(ratio(rows, box.rows.size()), ratio(columns, box.columns.size()));
  const std::size_t ink_columns = scaled_side(box.columns.size(), scale);
  const auto scaled = scale_by_area(ink, box, scaled_side(box.rows.size(), scale), ink_columns);
  return place(scaled, ink_columns, rows, columns, style);
}

}  // namespace lockstep
