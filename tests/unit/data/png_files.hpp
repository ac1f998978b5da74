#pragma once

#include <gtest/gtest.h>
#include <png.h>

#include <array>
#include <string>

#include "scratch.hpp"

namespace lockstep {

inline void write_png(const Scratch& scratch, const std::string& name, std::uint32_t format,
                      std::size_t columns, std::size_t rows, const void* pixels,
                      const void* colormap = nullptr) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.format = format;
  image.width = static_cast<std::uint32_t>(columns);
  image.height = static_cast<std::uint32_t>(rows);
  image.colormap_entries = colormap == nullptr ? 0 : 2;
  ASSERT_NE(png_image_write_to_file(&image, scratch.path(name).c_str(), 0, pixels, 0, colormap), 0);
}

inline void write_grey(const Scratch& scratch, const std::string& name, std::size_t columns,
                       const Bytes& pixels) {
  write_png(scratch, name, PNG_FORMAT_GRAY, columns, pixels.size() / columns, pixels.data());
}

/// An image of one shade with a filled rectangle of another.
inline Bytes rectangle(std::size_t columns, std::size_t rows, std::array<std::size_t, 4> box,
                       std::uint8_t paper, std::uint8_t ink) {
  Bytes pixels(columns * rows, paper);
  for (std::size_t r = box[1]; r < box[1] + box[3]; ++r) {
    for (std::size_t c = box[0]; c < box[0] + box[2]; ++c) pixels[r * columns + c] = ink;
  }
  return pixels;
}

/// What a high rectangle becomes: twenty rows of ten, in the middle.
inline Bytes centred_rectangle() {
  return rectangle(28, 28, {9, 4, 10, 20}, 0, 255);
}

}  // namespace lockstep
