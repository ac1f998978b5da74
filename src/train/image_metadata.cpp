#include "image_metadata.hpp"

#include <fmt/format.h>

#include "metadata.hpp"

namespace lockstep {
namespace {

/// Whether the entry is the first of two words; it must be one of them.
bool is_first_of(const TensorFile& file, const std::string& key, const char* first,
                 const char* second) {
  const std::string& word = metadata_text(file, key);
  if (word != first && word != second) {
    fail_as_model(file, fmt::format("its metadata '{}' is '{}'", key, word));
  }
  return word == first;
}

std::uint8_t grey_value(const TensorFile& file, const std::string& key) {
  return static_cast<std::uint8_t>(metadata_whole(file, key, 255));
}

}  // namespace

void add_image_style(std::map<std::string, std::string>& metadata, const ImageStyle& style) {
  metadata["image_background"] = std::to_string(style.background);
  metadata["image_ink"] = std::to_string(style.ink);
  metadata["image_extent"] = fmt::format("{}", style.extent);
  metadata["image_centre"] = style.centred ? "mass" : "box";
  metadata["image_kind"] = style.strokes ? "strokes" : "areas";
}

std::optional<ImageStyle> find_image_style(const TensorFile& file) {
  if (!file.metadata.contains("image_background")) return std::nullopt;
  ImageStyle style;
  style.background = grey_value(file, "image_background");
  style.ink = grey_value(file, "image_ink");
  if (style.ink == style.background) {
    fail_as_model(file, "its metadata 'image_ink' is that of the background");
  }
  style.extent = metadata_real(file, "image_extent");
  if (!(style.extent > 0 && style.extent <= 1)) {
    fail_as_model(file, fmt::format("its metadata 'image_extent' is '{}'", style.extent));
  }
  style.centred = is_first_of(file, "image_centre", "mass", "box");
  style.strokes = is_first_of(file, "image_kind", "strokes", "areas");
  return style;
}

}  // namespace lockstep
