#include <lockstep/data/image_style.hpp>

#include <gtest/gtest.h>

#include <filesystem>

#include <lockstep/data/picture.hpp>

#include "known_sets.hpp"
#include "png_files.hpp"
#include "scratch.hpp"

namespace lockstep {
namespace {

/// A set of rectangles, made by their numbers.
template <typename Box>
Samples rectangles(std::size_t count, std::uint8_t background, std::uint8_t ink, const Box& box) {
  Samples samples{28, 28, {}, Bytes(count)};
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes image = rectangle(28, 28, box(i), background, ink);
    samples.pixels.insert(samples.pixels.end(), image.begin(), image.end());
  }
  return samples;
}

std::array<std::size_t, 4> upright(std::size_t i) {
  return {9 + i % 2, 4, 8 + i % 3, 20};
}

std::array<std::size_t, 4> anywhere(std::size_t i) {
  return {4 + i % 13, 4, 7, 20};
}

ImageStyle style_of(const Samples& samples) {
  return describe_images(samples, samples.size());
}

TEST(ImageStyle, of_centred_strokes_is_mnists) {
  EXPECT_EQ(style_of(rectangles(50, 0, 255, upright)), ImageStyle{});
}

TEST(ImageStyle, of_strokes_anywhere_is_not_centred) {
  const ImageStyle style = style_of(rectangles(50, 0, 255, anywhere));
  EXPECT_FALSE(style.centred);
  EXPECT_TRUE(style.strokes);
}

TEST(ImageStyle, of_areas_knows_that_they_are_no_strokes) {
  const Samples areas = rectangles(50, 0, 255, [](std::size_t i) {
    return std::array<std::size_t, 4>{i % 5, 0, 23, 28};
  });
  const ImageStyle style = style_of(areas);
  EXPECT_FALSE(style.strokes);
  EXPECT_EQ(style.extent, 1);
}

TEST(ImageStyle, of_dark_on_light_data_makes_an_image_dark_on_light) {
  const ImageStyle style = style_of(rectangles(50, 240, 20, upright));
  EXPECT_EQ(style.background, 240);
  EXPECT_EQ(style.ink, 20);
  const Scratch scratch;
  write_grey(scratch, "a.png", 40, rectangle(40, 40, {3, 5, 10, 20}, 0, 255));
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28, style),
            rectangle(28, 28, {9, 4, 10, 20}, 240, 20));
}

TEST(ImageStyle, of_areas_turns_a_dark_one_on_white_of_the_models_size) {
  const ImageStyle style{0, 255, 1.0, false, false};
  const Scratch scratch;
  write_grey(scratch, "a.png", 28, rectangle(28, 28, {5, 0, 18, 28}, 255, 0));
  EXPECT_EQ(read_picture(scratch.path("a.png"), 28, 28, style),
            rectangle(28, 28, {5, 0, 18, 28}, 0, 255));
}

TEST(ImageStyle, of_images_without_contrast_is_the_default) {
  EXPECT_EQ(style_of({2, 2, Bytes(8, 7), Bytes(2)}), ImageStyle{});
  EXPECT_EQ(describe_images({2, 2, Bytes(8, 7), Bytes(2)}, 0), ImageStyle{});
}

TEST(ImageStyle, of_images_of_one_pixel_is_found) {
  const ImageStyle style = style_of({1, 2, Bytes{0, 255, 0, 255, 255, 0}, Bytes(3)});
  EXPECT_NE(style.background, style.ink);
}

/// Its images have the style, and every test image reaches the network as it is in the file.
void expect_test_images_unchanged(const std::filesystem::path& folder, const ImageStyle& style) {
  const auto data = open_dataset({folder.string()});
  EXPECT_EQ(describe_images(data->training(0, 3000), 3000), style);
  EXPECT_EQ(describe_images(data->training(3000, 60), 60), style);
  const Samples images = data->test(0, data->test_size());
  ASSERT_EQ(images.size(), 10000U);
  const Scratch scratch;
  std::size_t changed = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Bytes pixels(images.picture(i), images.picture(i) + 28 * 28);
    write_grey(scratch, "a.png", 28, pixels);
    changed += read_picture(scratch.path("a.png"), 28, 28, style) == pixels ? 0 : 1;
  }
  EXPECT_EQ(changed, 0U);
}

TEST(ImageStyle, of_mnist_lets_all_its_test_images_pass_unchanged) {
  const auto folder = mnist_folder();
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no MNIST in " << folder << "; launch/fetch-mnist fetches it";
  }
  expect_test_images_unchanged(folder, {});
}

TEST(ImageStyle, of_fashion_mnist_lets_all_its_test_images_pass_unchanged) {
  const auto folder = fashion_mnist_folder();
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no " << folder << " (Debian's dataset-fashion-mnist)";
  }
  expect_test_images_unchanged(folder, {0, 255, 1.0, false, false});
}

}  // namespace
}  // namespace lockstep
