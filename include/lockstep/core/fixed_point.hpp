#pragma once

#include <bit>
#include <cstdint>

#include <lockstep/core/device.hpp>

namespace lockstep {

/// Sums are int64 in units of 2^-44: adding integers is associative, so the sum has the same bits
/// in any order, over any number of ranks and by any algorithm of MPI or NCCL.
constexpr int fixed_point_bits = 44;
constexpr float fixed_point_scale = 17592186044416.0f;  // 2^44
constexpr double fixed_point_unit = 1.0 / 17592186044416.0;

/// The largest magnitude that may be added `terms` times without overflow of the sum.
float fixed_point_limit(std::uint64_t terms) noexcept;

/// value / 2^-44, rounded once to the nearest integer, ties to even. |value| < 2^19, finite.
LOCKSTEP_INLINE std::int64_t to_fixed(float value) noexcept {
  // The product is exact in fp64.
  return nearest_integer(static_cast<double>(value) * static_cast<double>(fixed_point_scale));
}

/// What static_cast<double> gives, in a form that vectorises where the processor converts 32 bits
/// at most (before AVX-512): each half is the mantissa of a double, and their sum is rounded once.
inline double nearest_double(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  const auto high = std::bit_cast<double>((bits >> 32) ^ 0x4530000080000000);  // + 2^84 + 2^63
  const auto low = std::bit_cast<double>((bits & 0xffffffff) | 0x4330000000000000);  // + 2^52
  return (high - 0x1.00000801p84) + low;
}

/// The nearest double to fixed * 2^-44.
inline double from_fixed(std::int64_t fixed) noexcept {
  return static_cast<double>(fixed) * fixed_point_unit;
}

/// Losses are only reported, so they get a coarser unit, 2^-32, and sums of 2^17 of them fit.
constexpr double loss_unit = 1.0 / 4294967296.0;
constexpr double loss_scale = 4294967296.0;
constexpr float loss_limit = 16384.0f;

/// loss / 2^-32, rounded to the nearest integer, ties to even. |loss| < loss_limit.
LOCKSTEP_INLINE std::int64_t loss_to_fixed(float loss) noexcept {
  return nearest_integer(static_cast<double>(loss) * loss_scale);
}

inline double loss_from_fixed(std::int64_t fixed) noexcept {
  return static_cast<double>(fixed) * loss_unit;
}

}  // namespace lockstep
