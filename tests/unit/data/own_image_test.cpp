// What users' own images have around the digit, or lack.

#include <lockstep/data/picture.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "png_files.hpp"
#include "scratch.hpp"

namespace lockstep {
namespace {

using testing::HasSubstr;

constexpr std::size_t side = 280;

/// The image that centred_rectangle() is prepared from: a bar where no centring finds it.
Bytes bar(std::uint8_t paper, std::uint8_t ink) {
  return rectangle(side, side, {50, 40, 50, 100}, paper, ink);
}

Bytes prepared(const Bytes& pixels, std::size_t columns = side) {
  const Scratch scratch;
  write_grey(scratch, "a.png", columns, pixels);
  return read_picture(scratch.path("a.png"), 28, 28);
}

/// Changes every pixel by its row and column.
void shade(Bytes& pixels, const std::function<double(double, double)>& light) {
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const double y = static_cast<double>(i / side) / side;
    const double x = static_cast<double>(i % side) / side;
    pixels[i] = static_cast<std::uint8_t>(std::clamp(pixels[i] * light(y, x), 0.0, 255.0));
  }
}

/// Lays lines of `shade` along the sides.
void frame(Bytes& pixels, std::size_t width, std::uint8_t value) {
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t row = i / side;
    const std::size_t column = i % side;
    const std::size_t margin = std::min({row, column, side - 1 - row, side - 1 - column});
    if (margin < width) pixels[i] = value;
  }
}

TEST(OwnImage, of_a_sheet_in_uneven_light_is_read) {
  const auto slope = [](double, double x) { return 0.5 + 0.5 * x; };
  const auto diagonal = [](double y, double x) { return 1 - 0.3 * x - 0.3 * y; };
  const auto lamp = [](double y, double x) {
    return 1 - 0.8 * ((x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5));
  };
  for (const auto& light :
       std::initializer_list<std::function<double(double, double)>>{slope, diagonal, lamp}) {
    Bytes dark = bar(230, 40);
    shade(dark, light);
    Bytes found = prepared(dark);
    for (std::uint8_t& pixel : found) pixel = pixel > 128 ? 255 : 0;
    EXPECT_EQ(found, centred_rectangle());
  }
}

TEST(OwnImage, of_a_blank_sheet_in_uneven_light_shows_no_ink) {
  Bytes sheet(side * side, 230);
  shade(sheet, [](double y, double x) { return 0.5 + 0.25 * x + 0.2 * y; });
  EXPECT_THAT(data_error_of([&] { prepared(sheet); }), HasSubstr("no ink"));
}

TEST(OwnImage, in_a_frame_along_the_border_is_read_without_it) {
  for (const std::size_t width : {1, 3, 10, 30}) {
    for (const auto& [paper, ink, line] :
         {std::array<std::uint8_t, 3>{255, 0, 0}, {0, 255, 255}, {255, 160, 0}, {200, 20, 90}}) {
      Bytes framed = bar(paper, ink);
      frame(framed, width, line);
      EXPECT_EQ(prepared(framed), centred_rectangle()) << width << ' ' << int(ink);
    }
  }
}

TEST(OwnImage, in_a_box_on_the_sheet_is_read_without_it) {
  for (const std::size_t width : {2, 8}) {
    Bytes boxed = rectangle(side, side, {20, 10, 200, 240}, 250, 30);
    const Bytes inner =
        rectangle(side, side, {20 + width, 10 + width, 200 - 2 * width, 240 - 2 * width}, 0, 1);
    const Bytes digit = bar(0, 1);
    for (std::size_t i = 0; i < boxed.size(); ++i) {
      if (inner[i] == 1 && digit[i] == 0) boxed[i] = 250;
    }
    EXPECT_EQ(prepared(boxed), centred_rectangle()) << width;
  }
}

TEST(OwnImage, of_a_box_alone_is_the_box) {
  Bytes box = rectangle(side, side, {100, 40, 100, 200}, 255, 0);
  const Bytes inner = rectangle(side, side, {120, 60, 60, 160}, 0, 1);
  for (std::size_t i = 0; i < box.size(); ++i) box[i] = inner[i] == 1 ? 255 : box[i];
  const Bytes found = prepared(box);
  EXPECT_EQ(std::ranges::count(found, 255), 20 * 10 - 16 * 6);
}

TEST(OwnImage, on_a_sheet_beside_which_a_desk_shows_is_read) {
  Bytes photo = bar(220, 30);
  for (std::size_t i = 0; i < photo.size(); ++i) {
    if (i / side < 20 || i % side < 30) photo[i] = 45;
  }
  EXPECT_EQ(prepared(photo), centred_rectangle());
}

TEST(OwnImage, specks_of_dust_do_not_count) {
  Bytes dusty = bar(255, 0);
  for (const std::size_t i : {3 * side + 5, 270 * side + 20, 200 * side + 265}) dusty[i] = 0;
  EXPECT_EQ(prepared(dusty), centred_rectangle());
}

TEST(OwnImage, that_the_digit_fills_to_the_border_is_kept_whole) {
  Bytes seven = rectangle(100, 200, {0, 0, 100, 20}, 255, 0);  // without any margin
  for (std::size_t r = 0; r < 200; ++r) std::fill_n(&seven[r * 100 + 80], 20, std::uint8_t{0});
  const Bytes found = prepared(seven, 100);
  EXPECT_EQ(std::ranges::count_if(found, [](int ink) { return ink > 0; }), 2 * 10 + 18 * 2);
}

TEST(OwnImage, of_the_models_size_is_centred_unless_it_already_is) {
  EXPECT_EQ(prepared(rectangle(28, 28, {1, 2, 10, 20}, 0, 255), 28), centred_rectangle());
  EXPECT_EQ(prepared(rectangle(28, 28, {17, 8, 10, 20}, 0, 255), 28), centred_rectangle());
}

TEST(OwnImage, of_the_models_size_is_enlarged_where_it_is_small) {
  EXPECT_EQ(prepared(rectangle(28, 28, {12, 9, 5, 10}, 0, 255), 28), centred_rectangle());
}

TEST(OwnImage, of_the_models_size_on_grey_or_dim_gets_the_datas_contrast) {
  EXPECT_EQ(prepared(rectangle(28, 28, {9, 4, 10, 20}, 90, 255), 28), centred_rectangle());
  EXPECT_EQ(prepared(rectangle(28, 28, {9, 4, 10, 20}, 0, 100), 28), centred_rectangle());
}

}  // namespace
}  // namespace lockstep
