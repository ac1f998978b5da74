// The vectors and tiles of one instruction set; included once for each by Highway.
#include <cstddef>

#include "../arithmetic.hpp"
#include "workspace.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using Vector = hn::Vec<FloatTag>;
constexpr std::size_t lanes = HWY_MAX_BYTES / sizeof(float);

// Tiles of a product's sums, as measured. What limits them is the registers, the two loads a cycle,
// and that the stores at the end of a chain cost about as much as multiply-adds.
constexpr bool few_registers = HWY_MAX_BYTES == 32;  // 16, else 32

/// Rows (samples) of most tiles; a block's last rows fill a smaller one.
template <bool Quarters>
constexpr std::size_t tile_rows = Quarters ? (few_registers ? 3 : 4) : (few_registers ? 4 : 8);

/// Sums in registers beside those of a second chain, if there is one.
template <bool Quarters>
constexpr std::size_t tile_sums = (few_registers ? 12 : 24) / (Quarters ? 2 : 1);

/// Vectors of a tile of `rows` rows: those of a panel are a multiple.
template <bool Quarters>
constexpr std::size_t tile_vectors(std::size_t rows) {
  std::size_t vectors = panel_width / lanes;
  while (rows * vectors > tile_sums<Quarters> || panel_width % (vectors * lanes) != 0) --vectors;
  return vectors;
}

/// Of the weight gradient's tiles.
constexpr std::size_t outer_rows = few_registers ? 6 : 8, outer_vectors = 2;

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

/// x within -limit and limit; NaN stays NaN. Of a NaN and a number, x86's minimum and maximum give
/// the second and NEON's give the number.
HWY_INLINE Vector clamp(Vector x, float limit) {
  const Vector low = broadcast(-limit);
  const Vector high = broadcast(limit);
#if HWY_ARCH_X86
  return hn::Max(low, hn::Min(high, x));
#else
  x = hn::IfThenElse(hn::Lt(high, x), high, x);
  return hn::IfThenElse(hn::Gt(low, x), low, x);
#endif
}

/// arithmetic::tanh, lane by lane.
HWY_INLINE Vector tanh(Vector x) {
  using namespace arithmetic::tanh_constants;
  x = clamp(x, bound);
  const Vector u = hn::Mul(x, x);
  Vector numerator = broadcast(p[0]);
  HWY_UNROLL(5)
  for (std::size_t i = 1; i < 6; ++i) numerator = fused(numerator, u, broadcast(p[i]));
  Vector denominator = broadcast(q[0]);
  HWY_UNROLL(3)
  for (std::size_t i = 1; i < 4; ++i) denominator = fused(denominator, u, broadcast(q[i]));
  return hn::Div(hn::Mul(x, numerator), denominator);
}

/// arithmetic::exp, lane by lane.
HWY_INLINE Vector exp(Vector x) {
  using namespace arithmetic::exp_constants;
  const hn::RebindToSigned<FloatTag> integers;
  const Vector argument = hn::Max(broadcast(-87.0f), x);
  const Vector rounder = broadcast(round_to_integer);
  const Vector n = hn::Sub(fused(argument, broadcast(log2_e), rounder), rounder);
  const Vector high = hn::NegMulAdd(n, broadcast(arithmetic::ln2_high), argument);
  const Vector r = hn::NegMulAdd(n, broadcast(arithmetic::ln2_low), high);
  Vector sum = broadcast(taylor[0]);
  HWY_UNROLL(7)
  for (std::size_t i = 1; i < 8; ++i) sum = fused(sum, r, broadcast(taylor[i]));
  const auto exponent = hn::ShiftLeft<23>(hn::ConvertTo(integers, n));
  const auto result = hn::BitCast(FloatTag(), hn::Add(hn::BitCast(integers, sum), exponent));
  return hn::IfThenElse(hn::IsNaN(x), x, result);
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
