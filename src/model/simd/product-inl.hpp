// Products of a block's rows with packed weights: the input part, the recurrence, both heads.
#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

/// out [n][width] = epilogue(start + a w), where a is [n][terms] with `a_stride` between rows, w is
/// packed [terms][width] and start is `bias` for every row, or `out` itself.
struct Product {
  const float* a;
  std::size_t a_stride;
  std::size_t terms;
  const float* w;
  float* out;
  std::size_t out_stride;
};

/// sums += a[r][k] * w[k], k ascending: one chain for each sum.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE void chain(const float* a, std::size_t a_stride, const float* w, std::size_t terms,
                      Tile<Rows, Vectors>& sums) {
#pragma GCC unroll 4
  for (std::size_t k = 0; k < terms; ++k) {
    Vector weights[Vectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < Vectors; ++v) weights[v] = load(w + (k * Vectors + v) * lanes);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
      const Vector factor = broadcast(a[r * a_stride + k]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < Vectors; ++v) sums[r][v] = fused(factor, weights[v], sums[r][v]);
    }
  }
}

/// Sums of a tile put aside in L1 while the registers take the next quarter's.
template <std::size_t Rows, std::size_t Vectors>
struct Aside {
  HWY_ALIGN float values[Rows * Vectors * lanes];
  HWY_INLINE float* at(std::size_t r, std::size_t v) { return values + (r * Vectors + v) * lanes; }
};

/// Four chains over quarters of the terms, the first from `sums`, the others from zero, added
/// pairwise.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE void four_chains(const float* a, std::size_t a_stride, const float* w, std::size_t terms,
                            Tile<Rows, Vectors>& sums) {
  constexpr std::size_t width = Vectors * lanes;
  const std::size_t q1 = std::min(arithmetic::quarter(terms), terms);
  const std::size_t q2 = std::min(2 * q1, terms);
  const std::size_t q3 = std::min(3 * q1, terms);
  Aside<Rows, Vectors> pair;
  Aside<Rows, Vectors> third;
  chain<Rows, Vectors>(a, a_stride, w, q1, sums);
  LOCKSTEP_EACH(Rows, Vectors) {
    store(sums[r][v], pair.at(r, v));
    sums[r][v] = hn::Zero(FloatTag());
  }
  chain<Rows, Vectors>(a + q1, a_stride, w + q1 * width, q2 - q1, sums);
  LOCKSTEP_EACH(Rows, Vectors) {
    store(hn::Add(load(pair.at(r, v)), sums[r][v]), pair.at(r, v));
    sums[r][v] = hn::Zero(FloatTag());
  }
  chain<Rows, Vectors>(a + q2, a_stride, w + q2 * width, q3 - q2, sums);
  LOCKSTEP_EACH(Rows, Vectors) {
    store(sums[r][v], third.at(r, v));
    sums[r][v] = hn::Zero(FloatTag());
  }
  chain<Rows, Vectors>(a + q3, a_stride, w + q3 * width, terms - q3, sums);
  LOCKSTEP_EACH(Rows, Vectors) {
    sums[r][v] = hn::Add(load(pair.at(r, v)), hn::Add(load(third.at(r, v)), sums[r][v]));
  }
}

// What a product is for: where its sums start, in how many chains they are taken, what is stored.

/// bias + x K_x, one chain.
struct InputPart {
  const float* bias;
  static constexpr bool quarters = false;
  HWY_INLINE Vector start(std::size_t, std::size_t column, const float*) const {
    return load(bias + column);
  }
  HWY_INLINE Vector finish(Vector sum, std::size_t, std::size_t) const { return sum; }
};

/// tanh(input part + h K_h); the input part lies where the state goes.
struct State {
  static constexpr bool quarters = true;
  HWY_INLINE Vector start(std::size_t, std::size_t, const float* out) const { return load(out); }
  HWY_INLINE Vector finish(Vector sum, std::size_t, std::size_t) const { return tanh(sum); }
};

/// bias + h W.
struct Logits {
  const float* bias;
  static constexpr bool quarters = true;
  HWY_INLINE Vector start(std::size_t, std::size_t column, const float*) const {
    return load(bias + column);
  }
  HWY_INLINE Vector finish(Vector sum, std::size_t, std::size_t) const { return sum; }
};

/// (d w) (1 - h^2): derivatives by the arguments of tanh, in one chain from the logits' (Quarters
/// false) or in four from the next row's.
template <bool Quarters>
struct Derivative {
  const float* h;
  std::size_t stride;
  static constexpr bool quarters = Quarters;
  HWY_INLINE Vector start(std::size_t, std::size_t, const float*) const {
    return hn::Zero(FloatTag());
  }
  HWY_INLINE Vector finish(Vector sum, std::size_t row, std::size_t column) const {
    const Vector state = load(h + row * stride + column);
    return hn::Mul(sum, hn::NegMulAdd(state, state, broadcast(1.0f)));
  }
};

template <std::size_t Rows, std::size_t Vectors, typename Purpose>
HWY_INLINE void product_tile(const Product& p, const Purpose& purpose, const float* w,
                             std::size_t row, std::size_t column) {
  float* const out = p.out + row * p.out_stride + column;
  const float* const a = p.a + row * p.a_stride;
  Tile<Rows, Vectors> sums;
  LOCKSTEP_EACH(Rows, Vectors) {
    sums[r][v] = purpose.start(row + r, column + v * lanes, out + r * p.out_stride + v * lanes);
  }
  if constexpr (Purpose::quarters) {
    four_chains<Rows, Vectors>(a, p.a_stride, w, p.terms, sums);
  } else {
    chain<Rows, Vectors>(a, p.a_stride, w, p.terms, sums);
  }
  LOCKSTEP_EACH(Rows, Vectors) {
    store(purpose.finish(sums[r][v], row + r, column + v * lanes),
          out + r * p.out_stride + v * lanes);
  }
}

template <std::size_t Vectors, typename Purpose>
HWY_INLINE void product_panel(const Product& p, const Purpose& purpose, std::size_t n,
                              std::size_t column) {
  // A single vector needs more rows to keep the pipes busy.
  constexpr std::size_t rows = Vectors == 1 ? block_samples : tile_rows;
  for (std::size_t row = 0; row < n; row += rows) {
    product_tile<rows, Vectors>(p, purpose, p.w + column * p.terms, row, column);
  }
}

/// All of out; `n` is rounded up to whole tiles, which the buffers have room for.
template <typename Purpose>
HWY_NOINLINE void product(const Product& p, const Purpose& purpose, std::size_t n,
                          std::size_t width) {
  std::size_t column = 0;
  for (; column + tile_vectors * lanes <= width; column += tile_vectors * lanes) {
    product_panel<tile_vectors>(p, purpose, n, column);
  }
  const std::size_t rest = (width - column) / lanes;
  if (rest == 1) product_panel<1>(p, purpose, n, column);
  if constexpr (tile_vectors > 2) {
    if (rest == 2) product_panel<2>(p, purpose, n, column);
  }
}

/// Packs a matrix for product(): entry (k, j) is source[k * row_step + j * column_step].
inline void pack_panels(const float* source, std::size_t row_step, std::size_t column_step,
                        std::size_t terms, std::size_t valid, std::size_t width, float* out) {
  for (std::size_t column = 0; column < width; column += tile_vectors * lanes) {
    const std::size_t panel = std::min(tile_vectors * lanes, width - column);
    for (std::size_t k = 0; k < terms; ++k) {
      for (std::size_t j = column; j < column + panel; ++j) {
        *out++ = j < valid ? source[k * row_step + j * column_step] : 0.0f;
      }
    }
  }
}

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
