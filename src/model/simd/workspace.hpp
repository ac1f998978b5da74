#pragma once

#include <cstddef>
#include <cstdint>

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

/// The shape with its inner sizes padded to whole vectors. Padding columns of weights and biases
/// are zero, so that padding values of states and derivatives are zero.
struct Layout {
  Layout(const ModelShape& model, std::size_t vector_lanes, bool without_zeros)
      : shape(model),
        lanes(vector_lanes),
        skip_zeros(without_zeros),
        hidden(round_up(model.hidden, vector_lanes)),
        stride(round_up(model.hidden, line) + line),
        classes(round_up(model.classes, vector_lanes)) {}

  std::size_t picture() const { return shape.rows * shape.columns; }
  std::size_t state() const { return block_samples * stride; }  // values of one row's states

  ModelShape shape;
  std::size_t lanes;
  bool skip_zeros;  // leave out products with blank pixels and share blank rows' states
  std::size_t hidden;
  std::size_t stride;  // from a sample's state to the next; see line
  std::size_t classes;
};

/// The parameters in the order in which the kernels read them. A matrix [n][width] stands in panels
/// of some vectors' width, each panel [n][panel width], the last one narrower.
struct Weights {
  explicit Weights(const Layout& layout)
      : input(layout.shape.columns * layout.hidden),
        input_rows(layout.shape.columns * layout.hidden),
        bias(layout.hidden),
        recurrent(layout.shape.hidden * layout.hidden),
        recurrent_transposed(layout.shape.hidden * layout.hidden),
        head(layout.shape.hidden * layout.classes),
        head_bias(layout.classes),
        head_transposed(layout.shape.classes * layout.hidden) {}

  std::uint64_t version = 0;  // raised by every packing
  Buffer<float> input;
  Buffer<float> input_rows;  // not in panels: [columns][hidden]
  Buffer<float> bias;
  Buffer<float> recurrent;
  Buffer<float> recurrent_transposed;
  Buffer<float> head;
  Buffer<float> head_bias;
  Buffer<float> head_transposed;
};

/// What one worker holds for one block of samples; about 250 kB for the default shape, to stay in
/// L2.
struct Workspace {
  explicit Workspace(const Layout& layout)
      : pixels(block_samples * layout.picture() + 64),
        x(block_samples * layout.picture()),
        states((layout.shape.rows + 1) * layout.state()),
        dz(layout.shape.rows * layout.state()),
        logits(block_samples * layout.classes),
        dlogits(block_samples * layout.classes),
        ink(layout.shape.columns * layout.shape.rows * block_samples),
        ink_count(layout.shape.columns),
        blank((layout.shape.rows + 1) * layout.state()) {}

  Buffer<std::uint8_t> pixels;  // [sample][row][column], and room for a vector's load at the end
  Buffer<float> x;              // [sample][row][column]
  Buffer<float> states;         // [row + 1][sample][stride]; the first row's are zero
  Buffer<float> dz;             // [row][sample][stride], derivatives by the arguments of tanh
  Buffer<float> logits;         // [sample][classes]
  Buffer<float> dlogits;        // [sample][classes]: probabilities, then derivatives by the logits

  Buffer<std::uint32_t> ink;        // of each column, its inked pixels; see list_ink
  Buffer<std::uint32_t> ink_count;  // [column]
  Buffer<float> blank;          // [row + 1][hidden] in steps of a state: a blank picture's states
  std::size_t blank_known = 0;  // rows of it that are computed
  std::uint64_t blank_version = 0;  // for these weights
};

}  // namespace lockstep::simd
