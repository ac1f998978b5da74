#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace lockstep {

/// The sizes of the network: a picture is `rows` inputs of `columns` pixels.
struct ModelShape {
  std::size_t rows = 28;
  std::size_t columns = 28;
  std::size_t hidden = 128;
  std::size_t classes = 10;

  bool operator==(const ModelShape&) const = default;
};

/// One tensor in the flat block of parameters (gradients and moments are laid out alike).
struct Tensor {
  std::string_view name;
  std::size_t offset;  // first value in the block
  std::size_t rows;    // 1 for a vector
  std::size_t columns;

  std::size_t size() const noexcept { return rows * columns; }
};

constexpr std::size_t tensor_count = 4;

/// The block's layout, TensorFlow 1's: kernel [columns + hidden][hidden] with the input rows first,
/// bias [hidden], head kernel [hidden][classes], head bias [classes]; row-major, without gaps.
std::array<Tensor, tensor_count> tensors(const ModelShape& shape) noexcept;

/// How many values the block has: 21,386 for the default shape.
std::size_t parameter_count(const ModelShape& shape) noexcept;

}  // namespace lockstep
