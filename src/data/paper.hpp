#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "png.hpp"

namespace lockstep {

/// The pixels `depth` from the border, at most an eighth of the shorter side; 0 gives the border.
std::vector<std::uint8_t> ring(const GreyImage& image, std::size_t depth);

/// The grey value of the paper: the median of the ring at frame_depth().
std::uint8_t paper_shade(const GreyImage& image);

/// How many pixels from the border the paper begins: 0, or more where almost all of the border
/// differs from a ring up to an eighth of the shorter side further in (a frame, a desk).
std::size_t frame_depth(const GreyImage& image);

/// The image without dark structures (light ones, if `light`) that are narrower than half of the
/// longer side: a morphological closing (opening) with a square. What is left of an image of
/// strokes is the paper with its shadows. Serra, Image Analysis and Mathematical Morphology, 1982;
/// the difference to the image is known as the top-hat transform.
GreyImage without_strokes(const GreyImage& image, bool light);

}  // namespace lockstep
