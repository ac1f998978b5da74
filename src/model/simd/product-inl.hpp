// Products of a block's rows with packed weights: the input part, the recurrence, both heads.
#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

/// out [n][width] = epilogue(start + a w), where a is [n][terms] with `a_stride` between rows, w is
/// packed [terms][width] and start is a bias for every row, zero, or `out` itself. Widths in whole
/// vectors.
template <typename Size>
struct Product {
  const float* a;
  Size size;
  const float* w;
  float* out;
  std::size_t out_stride;
};

struct AnySize {
  std::size_t a_stride;
  std::size_t terms;
};

/// Known when compiled, so that a tile's addresses need one register.
template <std::size_t Stride, std::size_t Terms>
struct FixedSize {
  static constexpr std::size_t a_stride = Stride;
  static constexpr std::size_t terms = Terms;
};

/// The recurrent products of 128 units.
constexpr std::size_t tuned_hidden = 128;
using TunedSize = FixedSize<state_stride(tuned_hidden), tuned_hidden>;

/// sums[r][v] += a[r] * w[v]: one term of every sum of a tile.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE void add_term(const float* a, std::size_t a_stride, const float* w,
                         Tile<Rows, Vectors>& sums) {
  Vector weights[Vectors];
#pragma GCC unroll 16
  for (std::size_t v = 0; v < Vectors; ++v) weights[v] = load(w + v * lanes);
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) {
    const Vector factor = broadcast(a[r * a_stride]);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < Vectors; ++v) sums[r][v] = fused(factor, weights[v], sums[r][v]);
  }
}

/// `terms` of them: one chain for each sum.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE void one_chain(const float* a, std::size_t a_stride, const float* w, std::size_t terms,
                          Tile<Rows, Vectors>& sums) {
#pragma GCC unroll 4
  for (const float* const end = a + terms; a != end; ++a, w += panel_width) {
    add_term<Rows, Vectors>(a, a_stride, w, sums);
  }
}

/// Sums of a tile put aside in L1.
template <std::size_t Rows, std::size_t Vectors>
struct Aside {
  HWY_ALIGN float values[Rows * Vectors * lanes];
  HWY_INLINE float* at(std::size_t r, std::size_t v) { return values + (r * Vectors + v) * lanes; }
};

/// A chain from `sums` over the first terms and one from zero over the `second` <= `first` after
/// them, added.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE void two_chains(const float* a, std::size_t a_stride, const float* w, std::size_t first,
                           std::size_t second, Tile<Rows, Vectors>& sums) {
  if constexpr (Rows * Vectors <= tile_sums<true>) {
    Tile<Rows, Vectors> others;
    LOCKSTEP_EACH(Rows, Vectors) others[r][v] = hn::Zero(FloatTag());
#pragma GCC unroll 4
    for (const float* const end = a + second; a != end; ++a, w += panel_width) {
      add_term<Rows, Vectors>(a, a_stride, w, sums);
      add_term<Rows, Vectors>(a + first, a_stride, w + first * panel_width, others);
    }
    if (HWY_UNLIKELY(first != second))
      one_chain<Rows, Vectors>(a, a_stride, w, first - second, sums);
    LOCKSTEP_EACH(Rows, Vectors) sums[r][v] = hn::Add(sums[r][v], others[r][v]);
  } else {
    Aside<Rows, Vectors> aside;
    one_chain<Rows, Vectors>(a, a_stride, w, first, sums);
    LOCKSTEP_EACH(Rows, Vectors) {
      store(sums[r][v], aside.at(r, v));
      sums[r][v] = hn::Zero(FloatTag());
    }
    one_chain<Rows, Vectors>(a + first, a_stride, w + first * panel_width, second, sums);
    LOCKSTEP_EACH(Rows, Vectors) sums[r][v] = hn::Add(load(aside.at(r, v)), sums[r][v]);
  }
}

/// Four chains over quarters of the terms, the first from `sums`, the others from zero, added
/// pairwise.
template <std::size_t Rows, std::size_t Vectors>
HWY_INLINE void four_chains(const float* a, std::size_t a_stride, const float* w, std::size_t terms,
                            Tile<Rows, Vectors>& sums) {
  const std::size_t q1 = std::min(arithmetic::quarter(terms), terms);
  const std::size_t q2 = std::min(2 * q1, terms);
  const std::size_t q3 = std::min(3 * q1, terms);
  Aside<Rows, Vectors> half;
  two_chains<Rows, Vectors>(a, a_stride, w, q1, q2 - q1, sums);
  LOCKSTEP_EACH(Rows, Vectors) {
    store(sums[r][v], half.at(r, v));
    sums[r][v] = hn::Zero(FloatTag());
  }
  two_chains<Rows, Vectors>(a + q2, a_stride, w + q2 * panel_width, q3 - q2, terms - q3, sums);
  LOCKSTEP_EACH(Rows, Vectors) sums[r][v] = hn::Add(load(half.at(r, v)), sums[r][v]);
}

// What a product is for: where its sums start, in how many chains they are taken, what is stored,
// and what else takes a column's results.

/// bias + a w: the input part, in one chain (Quarters false), or the logits.
template <bool Quarters>
struct Affine {
  const float* bias;
  static constexpr bool quarters = Quarters;
  HWY_INLINE Vector start(std::size_t column, const float*) const { return load(bias + column); }
  HWY_INLINE Vector finish(Vector sum, std::size_t, std::size_t) const { return sum; }
  template <std::size_t Rows>
  HWY_INLINE void take(const Vector (&)[Rows], std::size_t) const {}
};

/// tanh(input part + h K_h); the input part lies where the state goes.
template <bool Quarters>
struct State {
  static constexpr bool quarters = Quarters;
  HWY_INLINE Vector start(std::size_t, const float* out) const { return load(out); }
  HWY_INLINE Vector finish(Vector sum, std::size_t, std::size_t) const { return tanh(sum); }
  template <std::size_t Rows>
  HWY_INLINE void take(const Vector (&)[Rows], std::size_t) const {}
};

/// (d w) (1 - h^2): derivatives by the arguments of tanh, in one chain from the logits' (Quarters
/// false) or in four from the next row's. They are added to the columns' `totals`, sample after
/// sample.
template <bool Quarters>
struct Derivative {
  const float* h;
  std::size_t stride;
  float* totals;
  static constexpr bool quarters = Quarters;
  HWY_INLINE Vector start(std::size_t, const float*) const { return hn::Zero(FloatTag()); }
  HWY_INLINE Vector finish(Vector sum, std::size_t row, std::size_t column) const {
    const Vector state = load(h + row * stride + column);
    return hn::Mul(sum, hn::NegMulAdd(state, state, broadcast(1.0f)));
  }
  template <std::size_t Rows>
  HWY_INLINE void take(const Vector (&results)[Rows], std::size_t column) const {
    Vector total = load(totals + column);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) total = hn::Add(total, results[r]);
    store(total, totals + column);
  }
};

template <std::size_t Rows, std::size_t Vectors, typename Size, typename Purpose>
HWY_INLINE void product_tile(const Product<Size>& p, const Purpose& purpose, std::size_t row,
                             std::size_t column) {
  const float* const a = p.a + row * p.size.a_stride;
  const float* const w =
      p.w + column / panel_width * panel_width * p.size.terms + column % panel_width;
  float* const out = p.out + row * p.out_stride + column;
  Tile<Rows, Vectors> sums;
  LOCKSTEP_EACH(Rows, Vectors) {
    sums[r][v] = purpose.start(column + v * lanes, out + r * p.out_stride + v * lanes);
  }
  if constexpr (Purpose::quarters) {
    four_chains<Rows, Vectors>(a, p.size.a_stride, w, p.size.terms, sums);
  } else {
    one_chain<Rows, Vectors>(a, p.size.a_stride, w, p.size.terms, sums);
  }
#pragma GCC unroll 16
  for (std::size_t v = 0; v < Vectors; ++v) {
    Vector results[Rows];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
      results[r] = purpose.finish(sums[r][v], row + r, column + v * lanes);
      store(results[r], out + r * p.out_stride + v * lanes);
    }
    purpose.template take<Rows>(results, column + v * lanes);
  }
}

/// The last `vectors` <= Vectors of a strip.
template <std::size_t Rows, std::size_t Vectors, typename Size, typename Purpose>
HWY_INLINE void product_columns(std::size_t vectors, const Product<Size>& p, const Purpose& purpose,
                                std::size_t row, std::size_t column) {
  if (vectors == Vectors) return product_tile<Rows, Vectors>(p, purpose, row, column);
  if constexpr (Vectors > 1) product_columns<Rows, Vectors - 1>(vectors, p, purpose, row, column);
}

/// `Rows` rows of a strip of columns.
template <std::size_t Rows, typename Size, typename Purpose>
HWY_INLINE void product_rows(const Product<Size>& p, const Purpose& purpose, std::size_t row,
                             std::size_t column, std::size_t end) {
  constexpr std::size_t vectors = tile_vectors<Purpose::quarters>(Rows);
  for (; column + vectors * lanes <= end; column += vectors * lanes) {
    product_tile<Rows, vectors>(p, purpose, row, column);
  }
  product_columns<Rows, vectors>((end - column) / lanes, p, purpose, row, column);
}

/// The last `rows` <= Rows of a block.
template <std::size_t Rows, typename Size, typename Purpose>
HWY_INLINE void product_rest(std::size_t rows, const Product<Size>& p, const Purpose& purpose,
                             std::size_t row, std::size_t column, std::size_t end) {
  if (rows == Rows) return product_rows<Rows>(p, purpose, row, column, end);
  if constexpr (Rows > 1) product_rest<Rows - 1>(rows, p, purpose, row, column, end);
}

/// All of out, panel by panel, whose weights stay in L1 while all rows use them.
template <typename Purpose>
HWY_NOINLINE void product(const Product<AnySize>& p, const Purpose& purpose, std::size_t n,
                          std::size_t width) {
  constexpr std::size_t rows = tile_rows<Purpose::quarters>;
  for (std::size_t column = 0; column < width; column += panel_width) {
    const std::size_t end = std::min(column + panel_width, width);
    std::size_t row = 0;
    for (; row + rows <= n; row += rows) product_rows<rows>(p, purpose, row, column, end);
    product_rest<rows - 1>(n - row, p, purpose, row, column, end);
  }
}

/// The same of tuned_hidden units for a whole block.
template <typename Purpose>
HWY_NOINLINE void tuned_product(const Product<TunedSize>& p, const Purpose& purpose) {
  constexpr std::size_t rows = tile_rows<Purpose::quarters>;
  for (std::size_t column = 0; column < tuned_hidden; column += panel_width) {
    const std::size_t end = std::min(column + panel_width, tuned_hidden);
    std::size_t row = 0;
    for (; row + rows <= block_samples; row += rows) {
      product_rows<rows>(p, purpose, row, column, end);
    }
    if constexpr (block_samples % rows != 0) {
      product_rows<block_samples % rows>(p, purpose, row, column, end);
    }
  }
}

/// The product of a block's states or derivatives with the packed recurrent weights.
template <typename Purpose>
HWY_INLINE void recurrent_product(const Layout& layout, const float* a, const float* w, float* out,
                                  const Purpose& purpose, std::size_t n) {
  if (HWY_LIKELY(layout.shape.hidden == tuned_hidden && n == block_samples)) {
    tuned_product(Product<TunedSize>{a, {}, w, out, TunedSize::a_stride}, purpose);
  } else {
    product(Product<AnySize>{a, {layout.stride, layout.shape.hidden}, w, out, layout.stride},
            purpose, n, layout.hidden);
  }
}

/// The states [n] after a row of pictures, in the place of its input part. The `first` row's have
/// none before them.
template <bool Quarters>
void next_states(const Layout& layout, const Weights& w, std::size_t n, bool first,
                 const float* before, float* states) {
  if (!first) {
    return recurrent_product(layout, before, w.recurrent.data(), states, State<Quarters>{}, n);
  }
  for (std::size_t s = 0; s < n; ++s, states += layout.stride) {
    for (std::size_t j = 0; j < layout.hidden; j += lanes) {
      store(tanh(load(states + j)), states + j);
    }
  }
}

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
