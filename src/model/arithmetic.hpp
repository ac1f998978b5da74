#pragma once

// The scalar functions of docs/arithmetic.md, written once for every engine that computes one value
// at a time, on the host or on a GPU. Each line is one IEEE operation, rounded once; the vector
// engine repeats them lane by lane.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

#include <lockstep/core/device.hpp>

namespace lockstep::arithmetic {

/// x P(x^2) / Q(x^2), minimax on [-8.2, 8.2] and constant beyond: never above 1, error below 6 ulp.
/// NaN stays NaN.
namespace tanh_constants {
constexpr float bound = 8.2f;
constexpr std::array p = {2.23542667228e-11f, -1.43044368738e-8f, 9.75689391715e-6f,
                          0.00297320322896f,  0.12967646654f,     0.999999975799f};
constexpr std::array q = {0.000235415837698f, 0.0239767238218f, 0.463009582766f, 1.0f};
}  // namespace tanh_constants

LOCKSTEP_INLINE float tanh(float x) {
  using namespace tanh_constants;
  x = bound < x ? bound : x;
  x = -bound > x ? -bound : x;
  const float u = x * x;
  // Copies, since a GPU has no constants of a namespace.
  constexpr auto above = p;
  constexpr auto below = q;
  float numerator = above[0];
  for (std::size_t i = 1; i < above.size(); ++i) numerator = fused(numerator, u, above[i]);
  float denominator = below[0];
  for (std::size_t i = 1; i < below.size(); ++i) denominator = fused(denominator, u, below[i]);
  // From 1 at 0 to 212 at the bound; where x is so small that it matters, it is 1.
  return divide_in_range(x * numerator, denominator);
}

constexpr float ln2_high = 0.693145751953125f;  // 15 bits of ln 2, so that n * ln2_high is exact
constexpr float ln2_low = 1.42860682030941723e-6f;

/// e^x for x <= 0, 0 < result <= 1: 2^n times the Taylor sum of degree 7 on |r| <= ln(2) / 2. From
/// -87 down the result stays at that of -87. NaN stays NaN.
namespace exp_constants {
constexpr float log2_e = 1.44269504088896341f;
constexpr float round_to_integer = 12582912.0f;  // 1.5 * 2^23
constexpr std::array taylor = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24,
                               1.0f / 6,    1.0f / 2,   1.0f,       1.0f};
}  // namespace exp_constants

LOCKSTEP_INLINE float exp(float x) {
  using namespace exp_constants;
  x = -87.0f > x ? -87.0f : x;
  if (x != x) return x;
  const float n = fused(x, log2_e, round_to_integer) - round_to_integer;
  const float r = fused(-n, ln2_low, fused(-n, ln2_high, x));
  constexpr auto terms = taylor;
  float sum = terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) sum = fused(sum, r, terms[i]);
  const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(n)) << 23;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(sum) + exponent);
}

/// ln x for 1 <= x: exponent times ln 2 and the series of atanh(f / (2 + f)) for the mantissa 1 + f
/// in [sqrt(1/2), sqrt(2)). Infinity and NaN stay as they are.
LOCKSTEP_INLINE float log(float x) {
  if (!(x < std::numeric_limits<float>::infinity())) return x;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  // Counts the exponent from sqrt(1/2) = 0x3f3504f3, so that the mantissa falls into its range.
  const std::uint32_t shifted = bits - 0x3f3504f3u;
  const float exponent = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
  const float mantissa = std::bit_cast<float>((shifted & 0x007fffffu) + 0x3f3504f3u);
  const float f = mantissa - 1.0f;
  const float t = divide(f, 2.0f + f);
  const float t2 = t * t;
  const float series = fused(fused(fused(1.0f / 9, t2, 1.0f / 7), t2, 1.0f / 5), t2, 1.0f / 3);
  const float twice = 2.0f * t;
  const float mantissa_log = fused(twice * t2, series, twice);
  return fused(exponent, ln2_high, fused(exponent, ln2_low, mantissa_log));
}

/// The length of the four parts in which a sum over n terms is taken: [0, q), [q, 2q), [2q, 3q),
/// the rest.
constexpr std::size_t quarter(std::size_t n) {
  return (n + 3) / 4;
}

/// A pixel as the network reads it.
LOCKSTEP_INLINE float pixel(std::uint8_t ink) {
  return divide(static_cast<float>(ink), 255.0f);
}

/// The derivative of tanh at the argument where it is h.
LOCKSTEP_INLINE float tanh_slope(float h) {
  return fused(-h, h, 1.0f);
}

/// The place of the largest, the first of equals.
LOCKSTEP_INLINE std::size_t first_largest(const float* values, std::size_t n) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < n; ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

/// Softmax cross entropy of one sample. `logits` become exp(logit - largest); `probabilities` those
/// over their sum, taken in the order of the classes. Returns the loss; `predicted` is the first
/// largest.
LOCKSTEP_INLINE float softmax_cross_entropy(float* logits, std::size_t classes, std::size_t label,
                                            float* probabilities, std::size_t& predicted) {
  predicted = first_largest(logits, classes);
  const float largest = logits[predicted];
  const float of_label = logits[label] - largest;
  float sum = 0.0f;
  for (std::size_t c = 0; c < classes; ++c) {
    logits[c] = exp(logits[c] - largest);
    sum = sum + logits[c];
  }
  for (std::size_t c = 0; c < classes; ++c) {
    probabilities[c] = divide(logits[c], sum);
  }
  return log(sum) - of_label;
}

}  // namespace lockstep::arithmetic
