#pragma once

#include <cstddef>
#include <cstdint>

#include <lockstep/core/arena.hpp>
#include <lockstep/core/buffer.hpp>
#include <lockstep/model/engine.hpp>
#include <lockstep/model/shape.hpp>

namespace lockstep::simd {

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Values in a cache line. States lie one line further apart than they need: with a power of two
/// between them, those of all rows and samples would compete for a few sets of the L1 cache.
constexpr std::size_t line = 16;

/// From a sample's state to the next.
constexpr std::size_t state_stride(std::size_t hidden) {
  return round_up(hidden, line) + line;
}

/// Columns of a panel of packed weights: 128 terms of it stay in L1.
constexpr std::size_t panel_width = 48;

/// The shape with its inner sizes padded to whole vectors. Padding columns of weights and biases
/// are zero, so that padding values of states and derivatives are zero.
struct Layout {
  Layout(const ModelShape& model, std::size_t vector_lanes, bool without_zeros)
      : shape(model),
        lanes(vector_lanes),
        skip_zeros(without_zeros),
        hidden(round_up(model.hidden, vector_lanes)),
        stride(state_stride(model.hidden)),
        classes(round_up(model.classes, vector_lanes)) {}

  std::size_t picture() const { return shape.rows * shape.columns; }
  std::size_t block_row() const { return block_samples * stride; }  // values of a whole block's row
  /// From a column's list of inked pixels to the next: a vector may be stored behind a full list.
  std::size_t ink_stride() const { return shape.rows * block_samples + line; }
  /// Values of a packed matrix [terms][width].
  std::size_t packed(std::size_t terms, std::size_t width) const {
    return terms * round_up(width, panel_width);
  }

  ModelShape shape;
  std::size_t lanes;
  bool skip_zeros;  // leave out products with blank pixels and share blank rows' states
  std::size_t hidden;
  std::size_t stride;  // from a sample's state to the next; see line
  std::size_t classes;
};

/// The parameters in the order in which the kernels read them. A packed matrix [n][width] stands in
/// panels [n][panel_width], with zeros beyond its width.
struct Weights {
  explicit Weights(const Layout& layout)
      : input(layout.packed(layout.shape.columns, layout.hidden), &memory),
        input_rows(layout.shape.columns * layout.hidden, &memory),
        bias(layout.hidden, &memory),
        recurrent(layout.packed(layout.shape.hidden, layout.hidden), &memory),
        recurrent_transposed(layout.packed(layout.shape.hidden, layout.hidden), &memory),
        head(layout.packed(layout.shape.hidden, layout.classes), &memory),
        head_bias(layout.classes, &memory),
        head_transposed(layout.packed(layout.shape.classes, layout.hidden), &memory) {}

  Arena memory;
  std::uint64_t version = 0;  // raised by every packing
  Buffer<float> input;        // where the products take every pixel
  Buffer<float> input_rows;   // where they leave out blank ones: [columns][hidden], not in panels
  Buffer<float> bias;
  Buffer<float> recurrent;
  Buffer<float> recurrent_transposed;
  Buffer<float> head;
  Buffer<float> head_bias;
  Buffer<float> head_transposed;
};

/// What one worker holds for one block of n samples, sample after sample without gaps for those
/// that a short block lacks; about 290 kB for the default shape, to stay in L2.
struct Workspace {
  explicit Workspace(const Layout& layout)
      : pixels(block_samples * layout.picture() + 64, &memory),
        x(block_samples * layout.picture() + layout.lanes, &memory),
        states(layout.shape.rows * layout.block_row(), &memory),
        dz(layout.shape.rows * layout.block_row(), &memory),
        bias_gradient(layout.hidden, &memory),
        logits(block_samples * layout.classes, &memory),
        dlogits(block_samples * layout.classes, &memory),
        pixel_row(layout.shape.rows * block_samples, &memory),
        row_ink(layout.shape.rows * block_samples, &memory),
        by_ink(layout.shape.rows * block_samples, &memory),
        place_of_ink(layout.shape.columns + 2, &memory),
        ink(layout.shape.columns * layout.ink_stride(), &memory),
        ink_count(layout.shape.columns, &memory),
        blank(layout.shape.rows * layout.stride, &memory) {}

  Arena memory;
  Buffer<std::uint8_t> pixels;  // [sample][row][column], and room for a vector's load at the end
  // Rows of pictures descending: (row, sample) is then the order of the weight gradient's terms.
  Buffer<float> x;              // [row][sample][column], and room for a vector's store at the end
  Buffer<float> states;         // [row][sample][stride]: after each row
  Buffer<float> dz;             // [row][sample][stride], derivatives by the arguments of tanh
  Buffer<float> bias_gradient;  // [hidden]
  Buffer<float> logits;         // [sample][classes]
  Buffer<float> dlogits;        // [sample][classes]: probabilities, then derivatives by the logits

  // Rows of pixels are numbered as terms of the weight gradient: rows descending, samples
  // ascending.
  Buffer<std::uint32_t> pixel_row;     // [term] where its pixels begin
  Buffer<std::uint32_t> row_ink;       // [term] how many of them are inked
  Buffer<std::uint32_t> by_ink;        // the terms in that order; see sort_by_ink
  Buffer<std::uint32_t> place_of_ink;  // where in there those with a row_ink begin
  Buffer<std::uint32_t> ink;           // [column][ink_stride]: its inked pixels; see list_ink
  Buffer<std::uint32_t> ink_count;     // [column]
  Buffer<float> blank;                 // [row][stride], rows ascending: a blank picture's states
  std::size_t blank_known = 0;         // rows of it that are computed
  std::uint64_t blank_version = 0;     // for these weights
};

}  // namespace lockstep::simd
