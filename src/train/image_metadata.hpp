#pragma once

#include <map>
#include <optional>
#include <string>

#include <lockstep/data/image_style.hpp>
#include <lockstep/store/safetensors.hpp>

namespace lockstep {

/// Adds a style to a model file's metadata, see write_model().
void add_image_style(std::map<std::string, std::string>& metadata, const ImageStyle& style);

/// The style in a model file's metadata; none where the file has no such entry. Throws Error
/// (store) that names file and key where an entry is missing beside others or has no sensible
/// value.
std::optional<ImageStyle> find_image_style(const TensorFile& file);

}  // namespace lockstep
