#pragma once

#include <lockstep/data/image_style.hpp>

#include "png.hpp"

namespace lockstep {

/// An image as ink: 0 where there is paper, 255 where there is most ink. Without ink, an image of
/// no rows.
///
/// Of strokes (`strokes`), the paper may be lit unevenly, and what is no part of the drawing is
/// left out: a frame along the border, specks. Of areas, the paper has one shade, that of the
/// border. Whether the ink is dark or light is what differs more from the paper at the border.
GreyImage ink_of(const GreyImage& image, bool strokes);

/// Removes ink that is faint everywhere, and regions below a thirty-second of the largest one's
/// area.
void remove_specks(GreyImage& ink);

}  // namespace lockstep
