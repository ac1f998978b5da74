// Matrices in the order in which product() reads them.
#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

// Both leave the rest of the last panel as it is: zero since the buffer was made.

/// Packs `source` [terms][valid].
inline void pack_panels(const float* source, std::size_t terms, std::size_t valid, float* out) {
  for (std::size_t column = 0; column < valid; column += panel_width) {
    const std::size_t inside = std::min(panel_width, valid - column);
    const float* row = source + column;
    for (std::size_t k = 0; k < terms; ++k, row += valid, out += panel_width) {
      std::size_t j = 0;
      for (; j + lanes <= inside; j += lanes) store(hn::LoadU(FloatTag(), row + j), out + j);
      for (; j < inside; ++j) out[j] = row[j];
    }
  }
}

/// out[i * panel_width + j] = source[j * step + i] for i, j < 4.
HWY_INLINE void transpose_block(const float* source, std::size_t step, float* out) {
  const hn::Full128<float> d;
  const auto r0 = hn::LoadU(d, source);
  const auto r1 = hn::LoadU(d, source + step);
  const auto r2 = hn::LoadU(d, source + 2 * step);
  const auto r3 = hn::LoadU(d, source + 3 * step);
  const auto low02 = hn::InterleaveLower(d, r0, r2);
  const auto low13 = hn::InterleaveLower(d, r1, r3);
  const auto high02 = hn::InterleaveUpper(d, r0, r2);
  const auto high13 = hn::InterleaveUpper(d, r1, r3);
  hn::StoreU(hn::InterleaveLower(d, low02, low13), d, out);
  hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, out + panel_width);
  hn::StoreU(hn::InterleaveLower(d, high02, high13), d, out + 2 * panel_width);
  hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, out + 3 * panel_width);
}

/// Packs the transpose [terms][valid] of `source` [valid][terms].
inline void pack_transposed(const float* source, std::size_t terms, std::size_t valid, float* out) {
  for (std::size_t column = 0; column < valid; column += panel_width, out += terms * panel_width) {
    const std::size_t inside = std::min(panel_width, valid - column);
    const float* const first = source + column * terms;
    for (std::size_t j = 0; j < inside; j += 4) {
      for (std::size_t k = 0; k < terms; k += 4) {
        if (j + 4 <= inside && k + 4 <= terms) {
          transpose_block(first + j * terms + k, terms, out + k * panel_width + j);
          continue;
        }
        for (std::size_t i = k; i < std::min(k + 4, terms); ++i) {
          for (std::size_t c = j; c < std::min(j + 4, inside); ++c) {
            out[i * panel_width + c] = first[c * terms + i];
          }
        }
      }
    }
  }
}

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
