#pragma once

#include <cstddef>

namespace lockstep {

/// Half-open, [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const noexcept { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// Part `i` of `parts` nearly equal parts of [0, n): [floor(n i / parts), floor(n (i + 1) /
/// parts)).
Range part(std::size_t n, std::size_t parts, std::size_t i) noexcept;

}  // namespace lockstep
