// Rounding to fixed point: units of 2^-44, ties to even.
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

using Integers = hn::Vec<hn::ScalableTag<std::int64_t>>;

/// The halves of a vector.
struct FixedPoint {
  Integers low, high;
};

#if HWY_TARGET == HWY_AVX3

/// Magnitudes below this are rounded rightly: all that fit.
constexpr float rounding_limit = 524288.0f;

HWY_INLINE FixedPoint to_fixed_point(Vector v) {
  const __m512 scaled = hn::Mul(v, broadcast(0x1p44f)).raw;
  return {Integers{_mm512_cvtps_epi64(_mm512_castps512_ps256(scaled))},
          Integers{_mm512_cvtps_epi64(_mm512_extractf32x8_ps(scaled, 1))}};
}

#else

/// Adding 1.5 * 2^(52 - 44) makes the sum's last bit worth 2^-44, so the addition rounds, and the
/// low bits are the integer. Below this limit the exponent stays.
constexpr float rounding_limit = 128.0f;

HWY_INLINE FixedPoint to_fixed_point(Vector v) {
  const hn::ScalableTag<double> d;
  const hn::ScalableTag<std::int64_t> i;
  const hn::Half<FloatTag> half;
  const auto rounder = hn::Set(d, 384.0);
  const auto bits = hn::BitCast(i, rounder);
  const auto low = hn::Add(hn::PromoteTo(d, hn::LowerHalf(half, v)), rounder);
  const auto high = hn::Add(hn::PromoteTo(d, hn::UpperHalf(half, v)), rounder);
  return {hn::Sub(hn::BitCast(i, low), bits), hn::Sub(hn::BitCast(i, high), bits)};
}

#endif

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
