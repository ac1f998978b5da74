#pragma once

#include <array>
#include <cstdint>

#include <lockstep/core/random.hpp>

namespace lockstep {

/// A pseudo-random permutation of [0, size), evaluated at single places without memory, so that a
/// device can compute its own samples. A Feistel network over the next even power of two, walked
/// until it falls into range (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
class Permutation {
 public:
  static constexpr int rounds = 8;

  /// `size` from 1 to 2^32. `round_keys` come from a Random block pair; see shuffle().
  Permutation(std::uint64_t size, const std::array<std::uint32_t, rounds>& round_keys) noexcept;

  /// Where `position` goes; position < size.
  std::uint64_t operator()(std::uint64_t position) const noexcept;

 private:
  std::uint64_t size_;
  std::array<std::uint32_t, rounds> keys_;
  int half_bits_;
};

/// The permutation of [0, size) that belongs to `random` and `number` (say, an epoch).
Permutation shuffle(std::uint64_t size, const Random& random, std::uint64_t number) noexcept;

}  // namespace lockstep
