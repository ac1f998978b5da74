// The vectors and tiles of one instruction set; included once for each by Highway.
#include <cstddef>

#include "../arithmetic.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using Vector = hn::Vec<FloatTag>;
constexpr std::size_t lanes = HWY_MAX_BYTES / sizeof(float);

// Rows (samples) and vectors of a register tile, as measured: 12 or 16 independent sums fill the
// two pipes' latency, and the operands still fit beside them.
#if HWY_MAX_BYTES == 64
constexpr std::size_t tile_rows = 8, tile_vectors = 2;
constexpr std::size_t outer_rows = 8, outer_vectors = 2;
#elif HWY_MAX_BYTES == 32
constexpr std::size_t tile_rows = 4, tile_vectors = 3;
constexpr std::size_t outer_rows = 6, outer_vectors = 2;
#else
constexpr std::size_t tile_rows = 8, tile_vectors = 3;
constexpr std::size_t outer_rows = 8, outer_vectors = 2;
#endif
static_assert(block_samples % tile_rows == 0);

HWY_INLINE Vector load(const float* p) {
  return hn::Load(FloatTag(), p);
}
HWY_INLINE void store(Vector v, float* p) {
  hn::Store(v, FloatTag(), p);
}
HWY_INLINE Vector broadcast(float x) {
  return hn::Set(FloatTag(), x);
}
HWY_INLINE Vector fused(Vector a, Vector b, Vector c) {
  return hn::MulAdd(a, b, c);
}

/// arithmetic::tanh, lane by lane. The bounds stand first in Min and Max so that NaN passes.
HWY_INLINE Vector tanh(Vector x) {
  using namespace arithmetic::tanh_constants;
  x = hn::Max(broadcast(-bound), hn::Min(broadcast(bound), x));
  const Vector u = hn::Mul(x, x);
  Vector numerator = broadcast(p[0]);
  HWY_UNROLL(5)
  for (std::size_t i = 1; i < 6; ++i) numerator = fused(numerator, u, broadcast(p[i]));
  Vector denominator = broadcast(q[0]);
  HWY_UNROLL(3)
  for (std::size_t i = 1; i < 4; ++i) denominator = fused(denominator, u, broadcast(q[i]));
  return hn::Div(hn::Mul(x, numerator), denominator);
}

/// Sums of a tile of `Rows` rows by `Vectors` vectors, meant to live in registers.
template <std::size_t Rows, std::size_t Vectors>
using Tile = Vector[Rows][Vectors];

// Loops over a tile's places; written out by the compiler, since an index into registers must be
// known.
#define LOCKSTEP_EACH(Rows, Vectors)                                \
  _Pragma("GCC unroll 16") for (std::size_t r = 0; r < (Rows); ++r) \
      _Pragma("GCC unroll 16") for (std::size_t v = 0; v < (Vectors); ++v)

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
