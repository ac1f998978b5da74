#include "glyphs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace lockstep {
namespace {

// A figure is a path over a lattice of five by five places, A to E in the first row, U to Y in the
// last; a space lifts the pen.
constexpr std::array<std::string_view, 10> figures{
    "BDJTXVPFB", "GCW",        "FBDJNUY", "FBDJNMNTXVP",    "DPT DX",
    "EAKNTXVP",  "DBFPVXTNLP", "AEV",     "BDJNLFB LPVXTN", "JNLFBDJTXV"};

struct Point {
  float x;
  float y;
};

struct Segment {
  Point from;
  Point to;
};

/// Random numbers of one picture, each in [low, high), in the order of the calls.
class Draws {
 public:
  explicit Draws(const Random& random) noexcept : random_(random) {}
  float operator()(float low, float high) noexcept {
    if (next_ % block_.size() == 0) block_ = random_.block(next_ / block_.size());
    const std::uint32_t bits = block_[next_++ % block_.size()] >> 8U;
    return low + (high - low) * (static_cast<float>(bits) * 0x1p-24F);
  }

 private:
  const Random& random_;
  std::array<std::uint32_t, 4> block_{};
  std::uint64_t next_ = 0;
};

/// How one picture's hand maps the lattice, with (0, 0) in its middle, to pixels.
class Hand {
 public:
  Hand(Draws& draws, std::size_t side)
      : unit_(static_cast<float>(side) / 28.0F),
        width_(draws(2.0F, 3.5F) * unit_),
        height_(draws(3.6F, 5.0F) * unit_),
        slant_(draws(-0.35F, 0.35F)),
        tilt_(draws(-0.15F, 0.15F)),
        middle_{static_cast<float>(side) * 0.5F + draws(-2.5F, 2.5F) * unit_,
                static_cast<float>(side) * 0.5F + draws(-2.5F, 2.5F) * unit_} {}

  Point place(char letter, Draws& draws) const noexcept {
    const int place = letter - 'A';
    const float x = (static_cast<float>(place % 5 - 2) + draws(-0.35F, 0.35F)) * width_;
    const float y = (static_cast<float>(place / 5 - 2) + draws(-0.35F, 0.35F)) * height_;
    return {middle_.x + x - slant_ * y, middle_.y + y + tilt_ * x};
  }

 private:
  float unit_;
  float width_;
  float height_;
  float slant_;
  float tilt_;
  Point middle_;
};

std::vector<Segment> draw_path(std::string_view figure, const Hand& hand, Draws& draws) {
  std::vector<Segment> path;
  for (std::size_t i = 0; i < figure.size(); ++i) {
    if (figure[i] == ' ') continue;
    const Point to = hand.place(figure[i], draws);
    const bool pen_down = i > 0 && figure[i - 1] != ' ';
    path.push_back({pen_down ? path.back().to : to, to});
  }
  return path;
}

float squared_distance(Point p, const Segment& segment) noexcept {
  const float dx = segment.to.x - segment.from.x;
  const float dy = segment.to.y - segment.from.y;
  const float x = p.x - segment.from.x;
  const float y = p.y - segment.from.y;
  const float length = dx * dx + dy * dy;
  const float along = length > 0 ? std::clamp((x * dx + y * dy) / length, 0.0F, 1.0F) : 0.0F;
  const float off_x = x - along * dx;
  const float off_y = y - along * dy;
  return off_x * off_x + off_y * off_y;
}

/// 1 on the stroke, 0 off it, falling over one pixel between.
float ink_at(Point p, std::span<const Segment> path, float pen) noexcept {
  float nearest = 1e6F;
  for (const Segment& segment : path) nearest = std::min(nearest, squared_distance(p, segment));
  return std::clamp(pen + 0.5F - std::sqrt(nearest), 0.0F, 1.0F);
}

}  // namespace

void draw_digit(std::size_t digit, const Random& random, std::size_t side,
                std::span<std::uint8_t> picture) {
  Draws draws(random);
  const Hand hand(draws, side);
  const float pen = draws(0.6F, 1.5F) * static_cast<float>(side) / 28.0F;
  const auto path = draw_path(figures[digit], hand, draws);
  for (std::size_t i = 0; i < picture.size(); ++i) {
    const Point middle{static_cast<float>(i % side) + 0.5F, static_cast<float>(i / side) + 0.5F};
    const float ink = ink_at(middle, path, pen);
    const bool speck = draws(0.0F, 1.0F) < 0.01F;
    const float shade = draws(speck ? 0.0F : 0.75F, 1.0F);
    picture[i] = static_cast<std::uint8_t>(255.0F * shade * (speck ? 1.0F - ink : ink));
  }
}

}  // namespace lockstep
