#include "png.hpp"

#include <fmt/format.h>
#include <png.h>

#include "errors.hpp"
#include "flatten.hpp"

namespace lockstep {
namespace {

constexpr std::size_t largest_image = std::size_t{64} << 20U;  // pixels

/// libpng's simplified interface: its longjmp never leaves the library.
struct PngReader {
  png_image image{};
  PngReader() { image.version = PNG_IMAGE_VERSION; }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_image_free(&image); }
};

}  // namespace

GreyImage read_png(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw data_error(path, "is not there or is no file; name a PNG file");
  }
  PngReader reader;
  png_image& image = reader.image;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) {
    throw data_error(path, fmt::format("is no readable PNG ({}); save it as PNG", image.message));
  }
  GreyImage grey{image.height, image.width, {}};
  if (grey.rows > largest_image / grey.columns) {
    throw data_error(path, fmt::format("has {} x {} pixels, more than 64 million; make it smaller",
                                       grey.columns, grey.rows));
  }
  const bool transparent = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = transparent ? PNG_FORMAT_GA : PNG_FORMAT_GRAY;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  grey.pixels.resize(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, grey.pixels.data(), 0, nullptr) == 0) {
    throw data_error(
        path, fmt::format("is cut short or damaged ({}); save it as PNG again", image.message));
  }
  return transparent ? flatten(grey.pixels, grey.rows, grey.columns) : grey;
}

}  // namespace lockstep
