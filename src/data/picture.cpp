#include <lockstep/data/picture.hpp>

#include <algorithm>
#include <cmath>
#include <span>

#include <lockstep/data/shards.hpp>

#include "errors.hpp"
#include "png.hpp"

namespace lockstep {
namespace {

constexpr int least_contrast = 32;  // of 255; less is noise of the paper
constexpr std::uint8_t faint = 32;  // ink below this, after stretching to 255, counts as paper

/// The grey value of the paper: the median of the border.
int paper_shade(const GreyImage& image) {
  std::vector<std::uint8_t> border;
  for (std::size_t r = 0; r < image.rows; ++r) {
    const bool whole = r == 0 || r + 1 == image.rows;
    const std::size_t stride = whole || image.columns < 2 ? 1 : image.columns - 1;
    for (std::size_t c = 0; c < image.columns; c += stride) {
      border.push_back(image.pixels[r * image.columns + c]);
    }
  }
  const auto middle = border.begin() + static_cast<std::ptrdiff_t>(border.size() / 2);
  std::nth_element(border.begin(), middle, border.end());
  return *middle;
}

/// Turns grey values into ink: 0 where there is paper, 255 where there is most ink.
void extract_ink(GreyImage& image, int paper, int strongest) {
  for (std::uint8_t& pixel : image.pixels) {
    const int ink = std::clamp((pixel - paper) * 255 / (strongest - paper), 0, 255);
    pixel = ink < faint ? std::uint8_t{0} : static_cast<std::uint8_t>(ink);
  }
}

/// The rows and columns between which all ink lies.
struct Box {
  Range rows;
  Range columns;
};

Box ink_box(const GreyImage& image) {
  Box box{{image.rows, 0}, {image.columns, 0}};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    if (image.pixels[i] == 0) continue;
    const std::size_t row = i / image.columns;
    const std::size_t column = i % image.columns;
    box.rows = {std::min(box.rows.begin, row), std::max(box.rows.end, row + 1)};
    box.columns = {std::min(box.columns.begin, column), std::max(box.columns.end, column + 1)};
  }
  return box;
}

/// Scales the box to rows x columns: a new pixel is the mean over the area it covers.
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

/// Where a block of `size` goes among `whole` places so that its centre of mass lies in the middle.
std::size_t centred(double centre, std::size_t size, std::size_t whole) {
  const double begin = static_cast<double>(whole) / 2 - centre;
  return static_cast<std::size_t>(
      std::clamp(std::floor(begin + 0.5), 0.0, static_cast<double>(whole - size)));
}

/// Puts ink of size.rows x size.columns into a picture, its centre of mass in the middle.
std::vector<std::uint8_t> place(std::span<const double> ink, std::size_t ink_columns,
                                std::size_t rows, std::size_t columns) {
  const std::size_t ink_rows = ink.size() / ink_columns;
  double sum = 0;
  double x_sum = 0;
  double y_sum = 0;
  for (std::size_t i = 0; i < ink.size(); ++i) {
    sum += ink[i];
    x_sum += ink[i] * (static_cast<double>(i % ink_columns) + 0.5);
    y_sum += ink[i] * (static_cast<double>(i / ink_columns) + 0.5);
  }
  const std::size_t top = centred(y_sum / sum, ink_rows, rows);
  const std::size_t left = centred(x_sum / sum, ink_columns, columns);
  const double to_255 = 255 / *std::max_element(ink.begin(), ink.end());
  std::vector<std::uint8_t> picture(rows * columns);
  for (std::size_t i = 0; i < ink.size(); ++i) {
    const std::size_t target = (top + i / ink_columns) * columns + left + i % ink_columns;
    picture[target] = static_cast<std::uint8_t>(ink[i] * to_255 + 0.5);
  }
  return picture;
}

std::size_t scaled_side(std::size_t side, double ratio) {
  return std::max<std::size_t>(1,
                               static_cast<std::size_t>(static_cast<double>(side) * ratio + 0.5));
}

}  // namespace

std::vector<std::uint8_t> read_picture(const std::filesystem::path& png, std::size_t rows,
                                       std::size_t columns) {
  GreyImage image = read_png(png);
  const int paper = paper_shade(image);
  const auto [darkest, lightest] = std::minmax_element(image.pixels.begin(), image.pixels.end());
  if (*lightest - *darkest < least_contrast) {
    throw data_error(png, "shows no ink, only paper; draw a digit, dark on light or light on dark");
  }
  const bool light_ink = *lightest - paper > paper - *darkest;
  if (light_ink && image.rows == rows && image.columns == columns) return image.pixels;

  extract_ink(image, paper, light_ink ? *lightest : *darkest);
  const Box box = ink_box(image);
  const auto room = [](std::size_t side) {
    return static_cast<double>(std::max<std::size_t>(1, side * 20 / 28));
  };
  const double ratio = std::min(room(rows) / static_cast<double>(box.rows.size()),
                                room(columns) / static_cast<double>(box.columns.size()));
  const std::size_t ink_columns = scaled_side(box.columns.size(), ratio);
  const auto ink = scale_by_area(image, box, scaled_side(box.rows.size(), ratio), ink_columns);
  return place(ink, ink_columns, rows, columns);
}

}  // namespace lockstep
