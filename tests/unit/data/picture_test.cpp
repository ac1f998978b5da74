#include <lockstep/data/picture.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "png.hpp"
#include "png_files.hpp"
#include "scratch.hpp"

namespace lockstep {
namespace {

using testing::Each;
using testing::HasSubstr;

TEST(Picture, that_looks_like_the_data_passes_unchanged) {
  const Scratch scratch;
  Bytes pixels = centred_rectangle();
  for (std::size_t i = 300; i < 500; ++i) {
    if (pixels[i] != 0) pixels[i] = static_cast<std::uint8_t>(255 - i % 64);
  }
  write_grey(scratch, "a.png", 28, pixels);
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28), pixels);
}

TEST(Picture, dark_on_light_and_light_on_dark_give_the_same) {
  const Scratch scratch;
  write_grey(scratch, "dark.png", 300, rectangle(300, 200, {40, 20, 60, 120}, 250, 10));
  write_grey(scratch, "light.png", 300, rectangle(300, 200, {40, 20, 60, 120}, 10, 250));
  EXPECT_EQ(read_picture(scratch.path("dark.png"), 28, 28), centred_rectangle());
  EXPECT_EQ(read_picture(scratch.path("light.png"), 28, 28), centred_rectangle());
}

TEST(Picture, of_the_right_size_but_dark_on_light_is_turned) {
  const Scratch scratch;
  write_grey(scratch, "a.png", 28, rectangle(28, 28, {1, 2, 10, 20}, 255, 0));
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28), centred_rectangle());
}

TEST(Picture, small_ink_is_enlarged) {
  const Scratch scratch;
  write_grey(scratch, "a.png", 9, rectangle(9, 9, {5, 3, 2, 4}, 255, 0));
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28), centred_rectangle());
}

TEST(Picture, follows_the_models_rows_and_columns) {
  const Scratch scratch;
  write_grey(scratch, "a.png", 100, rectangle(100, 100, {10, 10, 50, 25}, 255, 0));
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 14), rectangle(14, 28, {2, 12, 10, 5}, 0, 255));
}

TEST(Picture, faint_pencil_on_grey_paper_becomes_full_ink) {
  const Scratch scratch;
  write_grey(scratch, "a.png", 100, rectangle(100, 100, {10, 10, 40, 80}, 120, 70));
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28), centred_rectangle());
}

TEST(Picture, a_fine_pen_on_a_large_sheet_stays_visible) {
  const Scratch scratch;
  Bytes pixels = rectangle(2000, 2000, {500, 100, 3, 1800}, 255, 0);  // an L
  std::fill_n(pixels.begin() + 1898 * 2000 + 500, 900, std::uint8_t{0});
  write_grey(scratch, "a.png", 2000, pixels);
  const Bytes picture = read_picture(scratch.path("a.png"), 28, 28);
  EXPECT_EQ(*std::ranges::max_element(picture), 255);
  EXPECT_GT(std::ranges::count_if(picture, [](std::uint8_t ink) { return ink > 60; }), 25);
}

// 16 bits without a gamma chunk, which libpng's simplified interface cannot write.
TEST(Picture, sixteen_bits_are_read_as_eight) {
  const Scratch scratch;
  scratch.write(
      "a.png",
      Bytes{0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
            0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x10, 0x00, 0x00, 0x00,
            0x00, 0x6a, 0xee, 0x47, 0x16, 0x00, 0x00, 0x00, 0x0b, 0x49, 0x44, 0x41, 0x54, 0x78,
            0x9c, 0x63, 0x68, 0x68, 0x00, 0x00, 0x01, 0x83, 0x01, 0x01, 0x18, 0x35, 0x22, 0x15,
            0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82});
  EXPECT_EQ(read_png(scratch.path("a.png")).pixels, Bytes{0x80});
}

TEST(Picture, the_centre_of_mass_goes_to_the_middle_not_the_box) {
  const Scratch scratch;
  Bytes pixels = rectangle(40, 40, {10, 10, 20, 2}, 0, 255);  // a T
  const Bytes stem = rectangle(40, 40, {18, 12, 4, 18}, 0, 255);
  std::ranges::transform(pixels, stem, pixels.begin(), std::bit_or<>());
  write_grey(scratch, "a.png", 40, pixels);
  const Bytes picture = read_picture(scratch.path("a.png"), 28, 28);
  double sum = 0;
  double y_sum = 0;
  for (std::size_t i = 0; i < picture.size(); ++i) {
    sum += picture[i];
    y_sum += picture[i] * (static_cast<double>(i / 28) + 0.5);
  }
  EXPECT_NEAR(y_sum / sum, 14, 0.5);
  EXPECT_EQ(picture[6 * 28 + 14], 0);  // 4 would be the first row with the box in the middle
  EXPECT_EQ(picture[7 * 28 + 14], 255);
}

TEST(Picture, every_kind_of_png_gives_the_same) {
  const Scratch scratch;
  const Bytes grey = rectangle(56, 56, {10, 10, 20, 40}, 255, 0);
  Bytes rgb;
  Bytes rgba;
  Bytes indices;
  std::vector<std::uint16_t> deep;
  for (const std::uint8_t value : grey) {
    rgb.insert(rgb.end(), 3, value);
    rgba.insert(rgba.end(), {0, 0, 0, static_cast<std::uint8_t>(255 - value)});  // clear paper
    indices.push_back(value == 0);
    deep.push_back(static_cast<std::uint16_t>(value * 257));
  }
  const Bytes palette{255, 255, 255, 0, 0, 0};
  write_png(scratch, "rgb", PNG_FORMAT_RGB, 56, 56, rgb.data());
  write_png(scratch, "rgba", PNG_FORMAT_RGBA, 56, 56, rgba.data());
  write_png(scratch, "palette", PNG_FORMAT_RGB_COLORMAP, 56, 56, indices.data(), palette.data());
  write_png(scratch, "deep", PNG_FORMAT_LINEAR_Y, 56, 56, deep.data());
  for (const char* const name : {"rgb", "rgba", "palette", "deep"}) {
    EXPECT_EQ(read_picture(scratch.path(name), 28, 28), centred_rectangle()) << name;
  }
}

TEST(Picture, without_ink_is_an_error) {
  const Scratch scratch;
  for (const std::uint8_t shade : Bytes{0, 128, 255}) {
    write_grey(scratch, "a.png", 28, Bytes(28 * 28, shade));
    EXPECT_THAT(data_error_of([&] { read_picture(scratch.path("a.png"), 28, 28); }),
                HasSubstr("no ink"));
  }
  write_grey(scratch, "noise.png", 100, rectangle(100, 100, {10, 10, 40, 80}, 255, 240));
  EXPECT_THAT(data_error_of([&] { read_picture(scratch.path("noise.png"), 28, 28); }),
              HasSubstr("no ink"));
}

TEST(Picture, that_is_no_png_is_an_error) {
  const Scratch scratch;
  scratch.write("text.png", Bytes{'h', 'e', 'l', 'l', 'o', ',', ' ', 'y', 'o', 'u', '\n'});
  scratch.write("empty.png", {});
  for (const char* const name : {"text.png", "empty.png", "missing.png", ""}) {
    EXPECT_THAT(data_error_of([&] { read_picture(scratch.path(name), 28, 28); }),
                HasSubstr(scratch.path(name).string()));
  }
}

TEST(Picture, of_absurd_size_is_an_error_and_asks_for_no_memory) {
  const Scratch scratch;
  write_grey(scratch, "a.png", 9000, Bytes(9000 * 7500, 255));
  EXPECT_THAT(data_error_of([&] { read_picture(scratch.path("a.png"), 28, 28); }),
              HasSubstr("9000 x 7500"));
}

}  // namespace
}  // namespace lockstep
