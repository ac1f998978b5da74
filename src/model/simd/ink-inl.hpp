// The input part and its weight gradient over inked pixels alone: four in five pixels are blank,
// and a zero factor changes no value of a sum.
#include <algorithm>
#include <array>
#include <bit>

HWY_BEFORE_NAMESPACE();
namespace lockstep::simd::HWY_NAMESPACE {

constexpr std::size_t ink_vectors = HWY_MAX_BYTES == 16 ? 16 : 8;  // sums in registers

constexpr std::array<float, 256> pixel_values = [] {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 255.0f;
  return values;
}();

/// Bit i: pixel i of `pixels` has ink; for `count` <= 64 pixels. Reads a whole vector.
HWY_INLINE std::uint64_t ink_bits(const std::uint8_t* pixels, std::size_t count) {
  const hn::ScalableTag<std::uint8_t> d;
  constexpr std::size_t width = HWY_MAX_BYTES;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; i += width) {
    std::uint64_t part = 0;
    const auto inked = hn::Ne(hn::LoadU(d, pixels + i), hn::Zero(d));
    hn::StoreMaskBits(d, inked, reinterpret_cast<std::uint8_t*>(&part));
    bits |= part << i;
  }
  return count == 64 ? bits : bits & ((std::uint64_t{1} << count) - 1);
}

/// One sample's row of the input part, `Vectors` vectors from `column` on.
template <std::size_t Vectors>
HWY_INLINE void ink_row(const Layout& layout, const Weights& w, const std::uint8_t* pixels,
                        std::size_t column, float* out) {
  Vector sums[Vectors];
#pragma GCC unroll 16
  for (std::size_t v = 0; v < Vectors; ++v) sums[v] = load(w.bias.data() + column + v * lanes);
  for (std::size_t first = 0; first < layout.shape.columns; first += 64) {
    const std::size_t count = std::min<std::size_t>(64, layout.shape.columns - first);
    for (std::uint64_t bits = ink_bits(pixels + first, count); bits != 0; bits &= bits - 1) {
      const std::size_t i = first + static_cast<std::size_t>(__builtin_ctzll(bits));
      const Vector factor = broadcast(pixel_values[pixels[i]]);
      const float* const weights = w.input_rows.data() + i * layout.hidden + column;
#pragma GCC unroll 16
      for (std::size_t v = 0; v < Vectors; ++v) {
        sums[v] = fused(factor, load(weights + v * lanes), sums[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::size_t v = 0; v < Vectors; ++v) store(sums[v], out + column + v * lanes);
}

/// The last `vectors` < ink_vectors of a row.
template <std::size_t Vectors>
HWY_INLINE void ink_row_rest(std::size_t vectors, const Layout& layout, const Weights& w,
                             const std::uint8_t* pixels, std::size_t column, float* out) {
  if (vectors == Vectors) return ink_row<Vectors>(layout, w, pixels, column, out);
  if constexpr (Vectors > 1) ink_row_rest<Vectors - 1>(vectors, layout, w, pixels, column, out);
}

/// Finds each row of pixels of the block and counts its ink.
inline void count_ink(const Layout& layout, std::size_t n, Workspace& ws) {
  const std::size_t columns = layout.shape.columns;
  std::size_t term = 0;
  for (std::size_t t = layout.shape.rows; t-- > 0;) {
    for (std::size_t s = 0; s < n; ++s, ++term) {
      const std::size_t begin = s * layout.picture() + t * columns;
      int count = 0;
      for (std::size_t first = 0; first < columns; first += 64) {
        count += std::popcount(
            ink_bits(&ws.pixels[begin + first], std::min<std::size_t>(64, columns - first)));
      }
      ws.pixel_row[term] = static_cast<std::uint32_t>(begin);
      ws.row_ink[term] = static_cast<std::uint32_t>(count);
    }
  }
}

/// The first `terms` terms in the order of their ink: with rows of the same length side by side,
/// the processor foresees where a row's sum ends.
inline void sort_by_ink(const Layout& layout, std::size_t terms, Workspace& ws) {
  std::uint32_t* const place = ws.place_of_ink.data();
  std::fill_n(place, layout.shape.columns + 2, 0u);
  for (std::size_t term = 0; term < terms; ++term) ++place[ws.row_ink[term] + 1];
  for (std::size_t ink = 1; ink <= layout.shape.columns; ++ink) place[ink] += place[ink - 1];
  for (std::size_t term = 0; term < terms; ++term) {
    ws.by_ink[place[ws.row_ink[term]]++] = static_cast<std::uint32_t>(term);
  }
}

/// The input part of the rows from `first_row` on, into the states' places.
inline void ink_input_part(const Layout& layout, const Weights& w, std::size_t n,
                           std::size_t first_row, Workspace& ws) {
  constexpr std::size_t panel = ink_vectors * lanes;
  const std::size_t terms = (layout.shape.rows - first_row) * n;
  sort_by_ink(layout, terms, ws);
  for (std::size_t i = 0; i < terms; ++i) {
    const std::size_t term = ws.by_ink[i];
    const std::uint8_t* const pixels = &ws.pixels[ws.pixel_row[term]];
    float* const out = ws.states.data() + term * layout.stride;
    std::size_t column = 0;
    for (; column + panel <= layout.hidden; column += panel) {
      ink_row<ink_vectors>(layout, w, pixels, column, out);
    }
    ink_row_rest<ink_vectors - 1>((layout.hidden - column) / lanes, layout, w, pixels, column, out);
  }
}

constexpr std::size_t bytes = 16;  // of a vector that every target has
using Bytes = hn::Vec<hn::Full128<std::uint8_t>>;

HWY_INLINE void transpose(Bytes (&rows)[bytes]) {
  const hn::Full128<std::uint8_t> d;
  for (std::size_t round = 0; round < 4; ++round) {
    Bytes next[bytes];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < bytes / 2; ++i) {
      next[2 * i] = hn::InterleaveLower(d, rows[i], rows[i + bytes / 2]);
      next[2 * i + 1] = hn::InterleaveUpper(d, rows[i], rows[i + bytes / 2]);
    }
    std::copy_n(next, bytes, rows);
  }
}

using WordTag = hn::ScalableTag<std::uint32_t>;
using Words = hn::Vec<WordTag>;

#if HWY_TARGET == HWY_AVX3

/// The lanes in the mask, side by side from the first on.
HWY_INLINE Words compress(Words words, hn::Mask<WordTag> mask) {
  return hn::Compress(words, mask);
}

#else

/// Of every set of lanes, their numbers: the first in the lowest four bits.
constexpr std::array<std::uint32_t, std::size_t{1} << lanes> lane_numbers = [] {
  std::array<std::uint32_t, std::size_t{1} << lanes> numbers{};
  for (std::uint32_t set = 0; set < numbers.size(); ++set) {
    std::uint32_t shift = 0;
    for (std::uint32_t lane = 0; lane < lanes; ++lane) {
      if ((set >> lane & 1) == 0) continue;
      numbers[set] |= lane << shift;
      shift += 4;
    }
  }
  return numbers;
}();

/// The same. For Highway's own, g++ 12 copies a table to the stack at every call.
HWY_INLINE Words compress(Words words, hn::Mask<WordTag> mask) {
  const WordTag d;
  std::uint8_t set[8] = {};
  hn::StoreMaskBits(d, mask, set);
  const auto shifts = hn::ShiftLeft<2>(hn::Iota(d, 0));
  const auto numbers = hn::Shr(hn::Set(d, lane_numbers[set[0]]), shifts);
  const auto last = hn::Set(d, static_cast<std::uint32_t>(lanes - 1));
  return hn::TableLookupLanes(words, hn::IndicesFromVec(d, hn::And(numbers, last)));
}

#endif

/// Appends the inked ones of a column's pixels of the terms from `term` on to the column's list.
HWY_INLINE void append_ink(const std::uint8_t* pixels, std::size_t term, std::uint32_t* list,
                           std::uint32_t& count) {
  const WordTag d;
  const hn::Rebind<std::uint8_t, WordTag> packed;
  for (std::size_t k = 0; k < bytes; k += lanes) {
    const auto values = hn::PromoteTo(d, hn::LoadU(packed, pixels + k));
    const auto terms = hn::Add(hn::Iota(d, 0), hn::Set(d, static_cast<std::uint32_t>(term + k)));
    const auto inked = hn::Ne(values, hn::Zero(d));
    hn::StoreU(compress(hn::Or(hn::ShiftLeft<8>(terms), values), inked), d, list + count);
    count += static_cast<std::uint32_t>(hn::CountTrue(d, inked));
  }
}

/// Lists the inked pixels of the block column by column, in the order of the weight gradient's
/// terms. An entry is 256 times the term's number, plus the pixel.
inline void list_ink(const Layout& layout, std::size_t n, Workspace& ws) {
  const hn::Full128<std::uint8_t> d;
  const std::size_t columns = layout.shape.columns;
  const std::size_t terms = layout.shape.rows * n;
  std::fill_n(ws.ink_count.data(), columns, 0u);
  for (std::size_t term = 0; term < terms; term += bytes) {
    for (std::size_t first = 0; first < columns; first += bytes) {
      Bytes pixels[bytes];
      for (std::size_t k = 0; k < bytes; ++k) {
        pixels[k] = term + k < terms ? hn::LoadU(d, &ws.pixels[ws.pixel_row[term + k] + first])
                                     : hn::Zero(d);
      }
      transpose(pixels);
      HWY_ALIGN std::uint8_t column[bytes * bytes];
      for (std::size_t c = 0; c < bytes; ++c) hn::Store(pixels[c], d, column + c * bytes);
      for (std::size_t c = 0; c < std::min(bytes, columns - first); ++c) {
        append_ink(column + c * bytes, term, &ws.ink[(first + c) * layout.ink_stride()],
                   ws.ink_count[first + c]);
      }
    }
  }
}

/// One input row of the kernel's gradient, `Vectors` vectors from `column` on.
template <std::size_t Vectors, typename Sum>
HWY_INLINE bool ink_outer(const Layout& layout, const Workspace& ws, std::size_t i,
                          std::size_t column, const Target<Sum>& target) {
  const std::uint32_t* const ink = ws.ink.data() + i * layout.ink_stride();
  Tile<1, Vectors> sums;
#pragma GCC unroll 16
  for (std::size_t v = 0; v < Vectors; ++v) sums[0][v] = hn::Zero(FloatTag());
  for (std::size_t k = 0; k < ws.ink_count[i]; ++k) {
    const Vector factor = broadcast(pixel_values[ink[k] & 255]);
    const float* const dz = ws.dz.data() + (ink[k] >> 8) * layout.stride + column;
#pragma GCC unroll 16
    for (std::size_t v = 0; v < Vectors; ++v) {
      sums[0][v] = fused(factor, load(dz + v * lanes), sums[0][v]);
    }
  }
  Pending<Vectors, Sum> pending;
  const bool valid = leave_tile<1, Vectors>(sums, target, i, column, pending);
  pending.add_all();
  return valid;
}

template <std::size_t Vectors, typename Sum>
HWY_INLINE bool ink_outer_rest(std::size_t vectors, const Layout& layout, const Workspace& ws,
                               std::size_t i, std::size_t column, const Target<Sum>& target) {
  if (vectors == Vectors) return ink_outer<Vectors>(layout, ws, i, column, target);
  if constexpr (Vectors > 1) {
    return ink_outer_rest<Vectors - 1>(vectors, layout, ws, i, column, target);
  }
  return true;
}

/// Adds the gradient of the kernel's input rows to the target; false if a value is invalid.
template <typename Sum>
inline bool add_ink_outer(const Layout& layout, const Workspace& ws, const Target<Sum>& target) {
  constexpr std::size_t panel = ink_vectors * lanes;
  bool valid = true;
  for (std::size_t i = 0; i < layout.shape.columns; ++i) {
    if (ws.ink_count[i] == 0) continue;
    std::size_t column = 0;
    for (; column + panel <= layout.hidden; column += panel) {
      valid &= ink_outer<ink_vectors>(layout, ws, i, column, target);
    }
    valid &= ink_outer_rest<ink_vectors - 1>((layout.hidden - column) / lanes, layout, ws, i,
                                             column, target);
  }
  return valid;
}

/// The first row in which one of the block's samples has ink; the number of rows if none has.
inline std::size_t first_inked_row(const Layout& layout, std::size_t n, const Workspace& ws) {
  std::size_t terms = layout.shape.rows * n;
  while (terms > 0 && ws.row_ink[terms - 1] == 0) --terms;
  return layout.shape.rows - (terms + n - 1) / n;
}

/// The states after the block's leading blank rows are the same for all samples: those of a blank
/// picture, which are computed once for each set of weights, as far as a block needed them.
template <bool Quarters>
std::size_t share_blank_states(const Layout& layout, const Weights& w, std::size_t n,
                               Workspace& ws) {
  const std::size_t blank = first_inked_row(layout, n, ws);
  if (ws.blank_version != w.version) {
    ws.blank_version = w.version;
    ws.blank_known = 0;
  }
  for (; ws.blank_known < blank; ++ws.blank_known) {
    float* const state = ws.blank.data() + ws.blank_known * layout.stride;
    std::copy_n(w.bias.data(), layout.hidden, state);
    next_states<Quarters>(layout, w, 1, ws.blank_known == 0, state - layout.stride, state);
  }
  for (std::size_t t = 0; t < blank; ++t) {
    for (std::size_t s = 0; s < n; ++s) {
      std::copy_n(ws.blank.data() + t * layout.stride, layout.hidden,
                  ws.states.data() + ((layout.shape.rows - 1 - t) * n + s) * layout.stride);
    }
  }
  return blank;
}

}  // namespace lockstep::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
