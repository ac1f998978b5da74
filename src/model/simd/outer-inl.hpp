// The weight gradient: sums of outer products over (time, sample), rounded into fixed point.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include <lockstep/core/fixed_point.hpp>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

/// Where a tensor's gradient goes: sum[row * columns + column].
template <typename Sum>
struct Target {
  Sum* sum;
  std::size_t rows;
  std::size_t columns;
  float limit;  // magnitudes from here on are invalid
};

/// Adds `v` in fixed point to sum[0 .. lanes).
HWY_INLINE void add_vector(Vector v, std::int64_t* sum) {
  const hn::ScalableTag<std::int64_t> d;
  const auto fixed = to_fixed_point(v);
  hn::StoreU(hn::Add(hn::LoadU(d, sum), fixed.low), d, sum);
  hn::StoreU(hn::Add(hn::LoadU(d, sum + lanes / 2), fixed.high), d, sum + lanes / 2);
}

/// In free order: into an fp32 sum, unchecked.
HWY_INLINE void add_vector(Vector v, float* sum) {
  const FloatTag d;
  hn::StoreU(hn::Add(hn::LoadU(d, sum), v), d, sum);
}

inline bool add_value(float value, float limit, std::int64_t& sum) {
  if (!(std::abs(value) < limit)) return false;
  sum += to_fixed(value);
  return true;
}

inline bool add_value(float value, float, float& sum) {
  sum += value;
  return true;
}

/// Value by value, a tile [rows][width] at the tensor's end or with values beyond rounding_limit.
/// False if one is invalid.
template <typename Sum>
HWY_NOINLINE bool add_values(const float* values, std::size_t rows, std::size_t width,
                             const Target<Sum>& target, std::size_t row, std::size_t column) {
  bool valid = true;
  for (std::size_t r = 0; r < rows; ++r, values += width) {
    Sum* const sum = target.sum + (row + r) * target.columns;
    for (std::size_t j = column; j < std::min(column + width, target.columns); ++j) {
      valid &= add_value(values[j - column], target.limit, sum[j]);
    }
  }
  return valid;
}

/// Whether all of a tile's sums are valid and of the range that to_fixed_point takes.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE bool all_small(const Tile<Rows, Vectors>& sums, float limit) {
  // Magnitudes compare as their bits do, and what is not finite has the largest bits.
  const hn::ScalableTag<std::int32_t> bits;
  auto largest = hn::Zero(bits);
  LOCKSTEP_EACH(Rows, Vectors) {
    largest = hn::Max(largest, hn::BitCast(bits, hn::Abs(sums[r][v])));
  }
  const auto range = hn::BitCast(bits, broadcast(std::min(rounding_limit, limit)));
  return hn::AllTrue(bits, hn::Lt(largest, range));
}

/// The sums of a tile on their way to the target: they are added one after another while the next
/// tile's are taken, where the processor has room beside its multiply-adds.
template <std::size_t Vectors, typename Sum>
struct Pending {
  HWY_ALIGN float values[outer_rows * Vectors * lanes];
  Sum* sum = nullptr;
  std::size_t columns = 0;
  std::size_t count = 0;

  HWY_INLINE void add(std::size_t i) const {
    add_vector(load(values + i * lanes), sum + i / Vectors * columns + i % Vectors * lanes);
  }
  void add_all() const {
    for (std::size_t i = 0; i < count; ++i) add(i);
  }
};

/// Puts a tile's sums where the next tile finds them, or adds those that need care; false if one is
/// invalid. Padding reaches into the tensor's next row, to which it adds zeros.
template <std::size_t Rows, std::size_t Vectors, typename Sum>
HWY_INLINE bool leave_tile(const Tile<Rows, Vectors>& sums, const Target<Sum>& target,
                           std::size_t row, std::size_t column, Pending<Vectors, Sum>& pending) {
  LOCKSTEP_EACH(Rows, Vectors) store(sums[r][v], pending.values + (r * Vectors + v) * lanes);
  const std::size_t end = (row + Rows - 1) * target.columns + column + Vectors * lanes;
  if (HWY_UNLIKELY(end > target.rows * target.columns ||
                   !(std::is_same_v<Sum, float> || all_small<Rows, Vectors>(sums, target.limit)))) {
    pending.count = 0;
    return add_values(pending.values, Rows, Vectors * lanes, target, row, column);
  }
  pending.sum = target.sum + row * target.columns + column;
  pending.columns = target.columns;
  pending.count = Rows * Vectors;
  return true;
}

/// gradient[i][j] = sum of a[k * a_step + i] * b[k * b_step + j] over k in [0, terms), ascending.
template <typename Steps>
struct Outer {
  const float* a;
  const float* b;
  Steps steps;
  std::size_t terms;
};

struct AnySteps {
  std::size_t a, b;
};

/// Known when compiled, so that a term's addresses need no arithmetic.
template <std::size_t A, std::size_t B>
struct FixedSteps {
  static constexpr std::size_t a = A;
  static constexpr std::size_t b = B;
};

/// `terms` terms of a tile's sums; moves a and b on.
template <std::size_t Rows, std::size_t Vectors, typename Steps>
HWY_INLINE void outer_chain(const float*& a, const float*& b, const Steps& steps, std::size_t terms,
                            Tile<Rows, Vectors>& sums) {
  for (std::size_t k = 0; k < terms; ++k, a += steps.a, b += steps.b) {
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

template <std::size_t Rows, std::size_t Vectors, typename Sum, typename Steps>
HWY_INLINE bool outer_tile(const Outer<Steps>& o, const Target<Sum>& target, std::size_t i,
                           std::size_t j, Pending<Vectors, Sum>& pending) {
  Tile<Rows, Vectors> sums;
  LOCKSTEP_EACH(Rows, Vectors) sums[r][v] = hn::Zero(FloatTag());
  const float* a = o.a + i;
  const float* b = o.b + j;
  const std::size_t part = o.terms / (outer_rows * Vectors);
  const std::size_t count = pending.count;
  for (std::size_t p = 0; p < count; ++p) {
    outer_chain<Rows, Vectors>(a, b, o.steps, part, sums);
    pending.add(p);
  }
  outer_chain<Rows, Vectors>(a, b, o.steps, o.terms - count * part, sums);
  return leave_tile<Rows, Vectors>(sums, target, i, j, pending);
}

/// A tile of `rows` <= Rows rows.
template <std::size_t Rows, std::size_t Vectors, typename Sum, typename Steps>
HWY_INLINE bool outer_rows_of(std::size_t rows, const Outer<Steps>& o, const Target<Sum>& target,
                              std::size_t i, std::size_t j, Pending<Vectors, Sum>& pending) {
  if (rows == Rows) return outer_tile<Rows, Vectors>(o, target, i, j, pending);
  if constexpr (Rows > 1) return outer_rows_of<Rows - 1, Vectors>(rows, o, target, i, j, pending);
  return true;
}

/// The gradient in panels of `Vectors` vectors from column j on, as far as they are within `width`;
/// moves j on. Tiles are as even as can be: a low one leaves the pipes idle.
template <std::size_t Vectors, typename Sum, typename Steps>
HWY_NOINLINE bool add_panels(const Outer<Steps>& o, const Target<Sum>& target, std::size_t width,
                             std::size_t& j) {
  const std::size_t tiles = (target.rows + outer_rows - 1) / outer_rows;
  bool valid = true;
  Pending<Vectors, Sum> pending;
  for (; j + Vectors * lanes <= width; j += Vectors * lanes) {
    for (std::size_t tile = 0, i = 0; tile < tiles; ++tile) {
      const std::size_t end = target.rows * (tile + 1) / tiles;
      valid &= outer_rows_of<outer_rows, Vectors>(end - i, o, target, i, j, pending);
      i = end;
    }
  }
  pending.add_all();
  return valid;
}

/// Adds a gradient to its target; `width`: its columns in whole vectors. False if one is invalid.
template <typename Sum, typename Steps>
inline bool add_outer(const Outer<Steps>& o, const Target<Sum>& target, std::size_t width) {
  std::size_t j = 0;
  const bool valid = add_panels<outer_vectors>(o, target, width, j);
  return add_panels<1>(o, target, width, j) && valid;
}

/// The gradient of the kernel's recurrent rows, from the states before and the derivatives.
template <typename Sum>
inline bool add_recurrent_outer(const Layout& layout, const float* states, const float* dz,
                                std::size_t terms, const Target<Sum>& target) {
  using Tuned = FixedSteps<TunedSize::a_stride, TunedSize::a_stride>;
  if (HWY_LIKELY(layout.stride == Tuned::a)) {
    return add_outer(Outer<Tuned>{states, dz, {}, terms}, target, layout.hidden);
  }
  return add_outer(Outer<AnySteps>{states, dz, {layout.stride, layout.stride}, terms}, target,
                   layout.hidden);
}

/// Adds a row of the gradient that is summed already.
template <typename Sum>
inline bool add_row(const float* values, const Target<Sum>& target) {
  bool valid = true;
  for (std::size_t j = 0; j < target.columns; j += lanes) {
    const Tile<1, 1> sums{{load(values + j)}};
    Pending<1, Sum> pending;
    valid &= leave_tile<1, 1>(sums, target, 0, j, pending);
    pending.add_all();
  }
  return valid;
}

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
