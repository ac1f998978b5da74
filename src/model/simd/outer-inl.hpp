// The weight gradient: sums of outer products over (time, sample), rounded into fixed point.
#include <algorithm>
#include <cmath>

#include <lockstep/core/fixed_point.hpp>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

using DoubleTag = hn::ScalableTag<double>;
using IntegerTag = hn::ScalableTag<std::int64_t>;

/// Adds 1.5 * 2^(52 - 44): the sum's last bit is then worth 2^-44, so the addition rounds to fixed
/// point, ties to even, and the low bits are the integer. For |x| < 2^7, which keeps the exponent.
constexpr double rounder = 384.0;
constexpr float rounder_limit = 128.0f;

/// Where a tile of the gradient goes: sum[row * stride + column], of which `columns` are the
/// tensor's.
template <typename Sum>
struct Target {
  Sum* sum;
  std::size_t stride;
  std::size_t columns;
  float limit;
};

/// The fixed-point halves of `v`, added to sum[0 .. lanes).
HWY_INLINE void add_rounded(Vector v, std::int64_t* sum) {
  const DoubleTag d;
  const IntegerTag i;
  constexpr std::size_t half = lanes / 2;
  const auto magic = hn::Set(d, rounder);
  const auto bits = hn::BitCast(i, magic);
  const hn::Half<FloatTag> h;
  const auto low = hn::Add(hn::PromoteTo(d, hn::LowerHalf(h, v)), magic);
  const auto high = hn::Add(hn::PromoteTo(d, hn::UpperHalf(h, v)), magic);
  hn::StoreU(hn::Add(hn::LoadU(i, sum), hn::Sub(hn::BitCast(i, low), bits)), i, sum);
  hn::StoreU(hn::Add(hn::LoadU(i, sum + half), hn::Sub(hn::BitCast(i, high), bits)), i, sum + half);
}

/// The same for the first `count` lanes, where the vector reaches beyond the tensor's row.
inline void add_rounded_part(Vector v, std::size_t count, std::int64_t* sum) {
  HWY_ALIGN std::int64_t whole[lanes] = {};
  add_rounded(v, whole);
  for (std::size_t j = 0; j < count; ++j) sum[j] += whole[j];
}

/// Value by value, for those beyond the rounder's range. False if one is invalid.
inline bool add_large(const float* values, std::size_t count, float limit, std::int64_t* sum) {
  bool valid = true;
  for (std::size_t j = 0; j < count; ++j) {
    if (std::abs(values[j]) < limit) {
      sum[j] += to_fixed(values[j]);
    } else {
      valid = false;
    }
  }
  return valid;
}

/// A tile [rows][vectors] at the edge of the tensor, or with values that are not `small`.
HWY_NOINLINE bool add_rare(const float* values, std::size_t rows, std::size_t vectors, bool small,
                           const Target<std::int64_t>& target, std::size_t row,
                           std::size_t column) {
  bool valid = true;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t v = 0; v < vectors; ++v, values += lanes) {
      const std::size_t first = column + v * lanes;
      const std::size_t count = std::min(lanes, target.columns - std::min(first, target.columns));
      std::int64_t* const sum = target.sum + (row + r) * target.stride + first;
      if (small) {
        add_rounded_part(load(values), count, sum);
      } else {
        valid &= add_large(values, count, target.limit, sum);
      }
    }
  }
  return valid;
}

/// The target of a tile whose sums are about to be taken: by then it is in L1.
template <std::size_t Rows, std::size_t Vectors, typename Sum>
HWY_INLINE void prefetch(const Target<Sum>& target, std::size_t row, std::size_t column) {
  LOCKSTEP_EACH(Rows, Vectors) {
    __builtin_prefetch(target.sum + (row + r) * target.stride + column + v * lanes);
  }
}

template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE bool add_tile(const Tile<Rows, Vectors>& sums, const Target<std::int64_t>& target,
                         std::size_t row, std::size_t column) {
  // Magnitudes compare as their bits do, and what is not finite has the largest bits.
  const hn::ScalableTag<std::int32_t> bits;
  auto largest = hn::Zero(bits);
  LOCKSTEP_EACH(Rows, Vectors) {
    largest = hn::Max(largest, hn::BitCast(bits, hn::Abs(sums[r][v])));
  }
  const auto range = hn::BitCast(bits, broadcast(std::min(rounder_limit, target.limit)));
  const bool small = hn::AllTrue(bits, hn::Lt(largest, range));
  if (HWY_UNLIKELY(!small || column + Vectors * lanes > target.columns)) {
    HWY_ALIGN float values[Rows * Vectors * lanes];
    LOCKSTEP_EACH(Rows, Vectors) store(sums[r][v], values + (r * Vectors + v) * lanes);
    return add_rare(values, Rows, Vectors, small, target, row, column);
  }
  LOCKSTEP_EACH(Rows, Vectors) {
    add_rounded(sums[r][v], target.sum + (row + r) * target.stride + column + v * lanes);
  }
  return true;
}

/// In free order: into an fp32 sum, unchecked.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE bool add_tile(const Tile<Rows, Vectors>& sums, const Target<float>& target,
                         std::size_t row, std::size_t column) {
  const FloatTag d;
  LOCKSTEP_EACH(Rows, Vectors) {
    const std::size_t first = column + v * lanes;
    float* const sum = target.sum + (row + r) * target.stride + first;
    if (HWY_LIKELY(first + lanes <= target.columns)) {
      hn::StoreU(hn::Add(hn::LoadU(d, sum), sums[r][v]), d, sum);
    } else {
      HWY_ALIGN float values[lanes];
      store(sums[r][v], values);
      for (std::size_t j = 0; first + j < target.columns; ++j) sum[j] += values[j];
    }
  }
  return true;
}

/// gradient[i][j] = sum of a(t, s)[i] * b(t, s)[j], t from rows - 1 down to `first_row`, s
/// ascending. a(t, s) = a + t * a_row + s * a_sample, and b likewise.
struct Outer {
  const float* a;
  std::size_t a_row, a_sample;
  const float* b;
  std::size_t b_row, b_sample;
  std::size_t rows, first_row;
  std::size_t samples;
};

template <std::size_t Rows, std::size_t Vectors, typename Sum>
HWY_INLINE bool outer_tile(const Outer& o, const Target<Sum>& target, std::size_t i,
                           std::size_t j) {
  Tile<Rows, Vectors> sums;
  LOCKSTEP_EACH(Rows, Vectors) sums[r][v] = hn::Zero(FloatTag());
  prefetch<Rows, Vectors>(target, i, j);
  for (std::size_t t = o.rows; t-- > o.first_row;) {
    const float* a = o.a + t * o.a_row + i;
    const float* b = o.b + t * o.b_row + j;
#pragma GCC unroll 4
    for (std::size_t s = 0; s < o.samples; ++s, a += o.a_sample, b += o.b_sample) {
      Vector row[Vectors];
#pragma GCC unroll 16
      for (std::size_t v = 0; v < Vectors; ++v) row[v] = load(b + v * lanes);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < Rows; ++r) {
        const Vector factor = broadcast(a[r]);
#pragma GCC unroll 16
        for (std::size_t v = 0; v < Vectors; ++v) sums[r][v] = fused(factor, row[v], sums[r][v]);
      }
    }
  }
  return add_tile<Rows, Vectors>(sums, target, i, j);
}

/// A tile of `rows` <= Rows rows.
template <std::size_t Rows, std::size_t Vectors, typename Sum>
HWY_INLINE bool outer_rows_of(std::size_t rows, const Outer& o, const Target<Sum>& target,
                              std::size_t i, std::size_t j) {
  if (rows == Rows) return outer_tile<Rows, Vectors>(o, target, i, j);
  if constexpr (Rows > 1) return outer_rows_of<Rows - 1, Vectors>(rows, o, target, i, j);
  return true;
}

/// All rows of a panel of columns, in tiles as even as can be: a low one leaves the pipes idle.
template <std::size_t Rows, std::size_t Vectors, typename Sum>
HWY_NOINLINE bool outer_panel(const Outer& o, const Target<Sum>& target, std::size_t height,
                              std::size_t j) {
  const std::size_t tiles = (height + Rows - 1) / Rows;
  bool valid = true;
  for (std::size_t tile = 0, i = 0; tile < tiles; ++tile) {
    const std::size_t end = height * (tile + 1) / tiles;
    valid &= outer_rows_of<Rows, Vectors>(end - i, o, target, i, j);
    i = end;
  }
  return valid;
}

/// The gradient [height][width] in panels of `Vectors` vectors, and of one where that is left.
template <std::size_t Rows, std::size_t Vectors, typename Sum>
HWY_INLINE bool add_panels(const Outer& o, const Target<Sum>& target, std::size_t height,
                           std::size_t width) {
  bool valid = true;
  std::size_t j = 0;
  for (; j + Vectors * lanes <= width; j += Vectors * lanes) {
    valid &= outer_panel<Rows, Vectors>(o, target, height, j);
  }
  for (; j < width; j += lanes) valid &= outer_panel<Rows, 1>(o, target, height, j);
  return valid;
}

/// Adds the gradient [height][width] (width in whole vectors) to the target; false if one is
/// invalid.
template <typename Sum>
inline bool add_outer(const Outer& o, const Target<Sum>& target, std::size_t height,
                      std::size_t width) {
  if (height == 1) return add_panels<1, 8>(o, target, height, width);
  return add_panels<outer_rows, outer_vectors>(o, target, height, width);
}

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
