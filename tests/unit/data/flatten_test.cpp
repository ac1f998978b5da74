#include "flatten.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/data/picture.hpp>

#include "png_files.hpp"
#include "scratch.hpp"

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t side = 280;

/// A bar of this colour, the rest transparent.
Bytes coloured(std::array<std::uint8_t, 3> colour) {
  Bytes rgba;
  for (const std::uint8_t alpha : rectangle(side, side, {50, 40, 50, 100}, 0, 255)) {
    rgba.insert(rgba.end(), {colour[0], colour[1], colour[2], alpha});
  }
  return rgba;
}

TEST(Transparency, around_a_digit_of_any_colour_becomes_paper) {
  const Scratch scratch;
  for (const auto& colour : {std::array<std::uint8_t, 3>{255, 255, 255},
                             {255, 255, 0},
                             {255, 200, 220},
                             {128, 128, 128},
                             {0, 0, 90},
                             {0, 0, 0}}) {
    write_png(scratch, "a.png", PNG_FORMAT_RGBA, side, side, coloured(colour).data());
    EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28), centred_rectangle()) << int(colour[1]);
  }
}

TEST(Transparency, everywhere_shows_no_ink) {
  const Scratch scratch;
  write_png(scratch, "a.png", PNG_FORMAT_RGBA, 2, 2, Bytes(16, 0).data());
  EXPECT_THAT(data_error_of([&] { read_picture(scratch.path("a.png"), 28, 28); }),
              HasSubstr("no ink"));
}

/// The grey values that become of pairs of grey value and alpha.
Bytes flat(const Bytes& grey_alpha) {
  return flatten(grey_alpha, 1, grey_alpha.size() / 2).pixels;
}

TEST(Transparency, is_white_unless_black_shows_clearly_more) {
  EXPECT_THAT(flat({0, 255, 77, 0, 0, 51}), ElementsAre(0, 255, 204));
  EXPECT_THAT(flat({255, 255, 77, 0, 255, 51}), ElementsAre(255, 0, 51));
  EXPECT_THAT(flat({255, 255, 0, 255, 77, 0}), ElementsAre(255, 0, 255));  // a cut-out sheet
  EXPECT_THAT(flat({255, 255, 0, 60, 77, 0}), ElementsAre(255, 0, 0));     // with a soft shadow
}

}  // namespace
}  // namespace lockstep
