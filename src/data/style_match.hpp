#pragma once

#include <lockstep/data/image_style.hpp>

#include "png.hpp"

namespace lockstep {

/// The image as ink by the style's grey values: 0 where the background is or ink is faint, 255 at
/// the style's ink.
GreyImage ink_in_style(const GreyImage& image, const ImageStyle& style);

/// Whether an image of the model's size may be one of the data set: its ink is about as strong, and
///   - strokes: nine tenths of the border are background; areas may cover four fifths of it, if no
///     more of it is ink than background;
///   - where the style is centred: so is the image, and its ink spans as much, to 2 pixels of 28.
bool looks_like(const GreyImage& image, const ImageStyle& style);

}  // namespace lockstep
