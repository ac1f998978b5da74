#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep {

/// Pictures and their labels, seen but not owned. A picture is rows * columns bytes, row by row,
/// 0 for paper and 255 for ink; the model reads a pixel as byte / 255 in fp32.
struct Batch {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::span<const std::uint8_t* const> pictures;
  std::span<const std::uint8_t> labels;  // as many as pictures; each below the model's class count

  std::size_t size() const noexcept { return pictures.size(); }
};

}  // namespace lockstep
