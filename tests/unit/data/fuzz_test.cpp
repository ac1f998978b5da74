#include <gtest/gtest.h>
#include <png.h>

#include <functional>

#include <lockstep/core/error.hpp>
#include <lockstep/core/random.hpp>
#include <lockstep/data/folder.hpp>
#include <lockstep/data/picture.hpp>

#include "scratch.hpp"

namespace lockstep {
namespace {

/// Changes up to four bytes and sometimes the length.
Bytes mutated(Bytes bytes, std::uint32_t round) {
  const Random random(1, Stream::synthetic, round);
  const auto dice = random.block(0);
  for (std::uint32_t i = 0; i <= dice[0] % 4; ++i) {
    const auto change = random.block(i + 1);
    // Half of the changes hit the header, where sizes stand.
    const std::size_t reach =
        change[3] % 2 == 0 ? std::min<std::size_t>(40, bytes.size()) : bytes.size();
    bytes[change[0] % reach] = static_cast<std::uint8_t>(change[1] % 3 == 0 ? 0xFF : change[2]);
  }
  if (dice[1] % 8 == 0) bytes.resize(dice[2] % bytes.size());
  return bytes;
}

/// Runs `use` on many mutations of a file; it may succeed or throw an Error (data) of one line.
void fuzz(const Scratch& scratch, const std::string& name, std::uint32_t rounds,
          const std::function<void()>& use) {
  const Bytes sound = scratch.read(name);
  std::uint32_t refused = 0;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    scratch.write(name, mutated(sound, round));
    try {
      use();
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), ExitCode::data);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(refused, rounds / 4);
  scratch.write(name, sound);
}

TEST(Fuzz, idx_files_are_read_or_refused) {
  for (const std::string ending : {"", ".gz"}) {
    const Scratch scratch;
    write_dataset(scratch.folder(), counted_samples(24, 4, 3, 5), counted_samples(12, 4, 3, 5));
    if (!ending.empty()) scratch.gzip_all();
    for (const char* const stem : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
      fuzz(scratch, stem + ending, 150, [&] {
        const auto data = open_dataset({scratch.folder()});
        data->classes();
        data->training(0, data->training_size());
        data->test(0, data->test_size());
      });
    }
  }
}

TEST(Fuzz, pngs_are_read_or_refused) {
  const Scratch scratch;
  const Samples noise = counted_samples(1, 40, 30, 1);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.format = PNG_FORMAT_GRAY;
  image.width = 30;
  image.height = 40;
  ASSERT_NE(png_image_write_to_file(&image, scratch.path("a").c_str(), 0, noise.pixels.data(), 0,
                                    nullptr),
            0);
  fuzz(scratch, "a", 500, [&] { read_picture(scratch.path("a"), 28, 28); });
}

TEST(Fuzz, every_shorter_png_is_refused_until_its_pixels_are_whole) {
  const Scratch scratch;
  Bytes pixels = counted_samples(1, 20, 20, 1).pixels;
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.format = PNG_FORMAT_GRAY;
  image.width = image.height = 20;
  ASSERT_NE(
      png_image_write_to_file(&image, scratch.path("a").c_str(), 0, pixels.data(), 0, nullptr), 0);
  const Bytes whole = scratch.read("a");
  const auto picture = read_picture(scratch.path("a"), 28, 28);
  constexpr std::size_t end_chunk = 12;
  for (std::size_t size = 0; size + end_chunk + 4 < whole.size(); ++size) {
    scratch.write("a", std::span(whole).first(size));
    data_error_of([&] { read_picture(scratch.path("a"), 28, 28); });
  }
}

}  // namespace
}  // namespace lockstep
