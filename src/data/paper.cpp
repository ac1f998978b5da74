#include "paper.hpp"

#include <algorithm>
#include <cmath>

#include "contrast.hpp"

namespace lockstep {
namespace {

constexpr double almost_all = 0.8;

/// A pixel on the border, and the step that leads from it into the image.
struct Edge {
  std::size_t row;
  std::size_t column;
  int down;
  int right;
};

/// Those from which `depth` steps, of at most an eighth of a side, lead to the ring at that depth.
std::vector<Edge> edges(const GreyImage& image, std::size_t depth) {
  std::vector<Edge> result;
  for (std::size_t c = depth; c < image.columns - depth; ++c) {
    result.push_back({0, c, 1, 0});
    if (image.rows > 1) result.push_back({image.rows - 1, c, -1, 0});
  }
  for (std::size_t r = depth + 1; r + 1 + depth < image.rows; ++r) {
    result.push_back({r, 0, 0, 1});
    if (image.columns > 1) result.push_back({r, image.columns - 1, 0, -1});
  }
  return result;
}

std::uint8_t inside(const GreyImage& image, const Edge& edge, std::size_t depth) {
  const auto steps = static_cast<std::ptrdiff_t>(depth);
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(edge.row) + edge.down * steps;
  const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(edge.column) + edge.right * steps;
  return image
      .pixels[static_cast<std::size_t>(row) * image.columns + static_cast<std::size_t>(column)];
}

std::size_t deepest(const GreyImage& image) {
  return std::min(image.rows, image.columns) / 8;
}

bool differs_at(const GreyImage& image, std::size_t depth) {
  const std::vector<Edge> border = edges(image, depth);
  std::size_t lighter = 0;
  std::size_t darker = 0;
  for (const Edge& edge : border) {
    const int change = inside(image, edge, depth) - inside(image, edge, 0);
    lighter += change >= least_contrast ? 1 : 0;
    darker += change <= -least_contrast ? 1 : 0;
  }
  return static_cast<double>(std::max(lighter, darker)) >=
         almost_all * static_cast<double>(border.size());
}

/// The largest (or smallest) of each pixel's neighbours up to `reach` away along one axis.
template <typename Choose>
void spread_along(const GreyImage& from, GreyImage& to, std::size_t count, std::size_t stride,
                  std::size_t start, std::size_t reach, Choose choose) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t last = std::min(i + reach, count - 1);
    std::size_t k = i - std::min(i, reach);
    std::uint8_t value = from.pixels[start + k * stride];
    for (++k; k <= last; ++k) value = choose(value, from.pixels[start + k * stride]);
    to.pixels[start + i * stride] = value;
  }
}

template <typename Choose>
void spread_in_square(GreyImage& image, std::size_t reach, Choose choose) {
  GreyImage along = image;
  for (std::size_t r = 0; r < image.rows; ++r) {
    spread_along(image, along, image.columns, 1, r * image.columns, reach, choose);
  }
  for (std::size_t c = 0; c < image.columns; ++c) {
    spread_along(along, image, image.rows, image.columns, c, reach, choose);
  }
}

}  // namespace

std::size_t frame_depth(const GreyImage& image) {
  for (std::size_t depth = 1; depth <= deepest(image); ++depth) {
    // The edge of a frame is seldom sharp: the paper begins a little further inside.
    if (differs_at(image, depth)) {
      return std::min(depth + 1 + deepest(image) / 4, deepest(image));
    }
  }
  return 0;
}

std::vector<std::uint8_t> ring(const GreyImage& image, std::size_t depth) {
  std::vector<std::uint8_t> pixels;
  for (const Edge& edge : edges(image, depth)) pixels.push_back(inside(image, edge, depth));
  return pixels;
}

std::uint8_t paper_shade(const GreyImage& image) {
  std::vector<std::uint8_t> pixels = ring(image, frame_depth(image));
  const auto middle = pixels.begin() + static_cast<std::ptrdiff_t>(pixels.size() / 2);
  std::ranges::nth_element(pixels, middle);
  return *middle;
}

GreyImage without_strokes(const GreyImage& image, bool light) {
  const auto larger = [](std::uint8_t a, std::uint8_t b) { return std::max(a, b); };
  const auto smaller = [](std::uint8_t a, std::uint8_t b) { return std::min(a, b); };
  const std::size_t reach = std::max(image.rows, image.columns) / 4;
  GreyImage paper = image;
  if (light) {
    spread_in_square(paper, reach, smaller);
    spread_in_square(paper, reach, larger);
  } else {
    spread_in_square(paper, reach, larger);
    spread_in_square(paper, reach, smaller);
  }
  return paper;
}

}  // namespace lockstep
