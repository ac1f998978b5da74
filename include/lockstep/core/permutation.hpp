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
  constexpr Permutation(std::uint64_t size,
                        const std::array<std::uint32_t, rounds>& round_keys) noexcept
      : size_(size),
        keys_(round_keys),
        half_bits_(size < 2 ? 1 : (bits_of(size - 1) + 1) / 2) {}

  /// Where `position` goes; position < size.
  constexpr std::uint64_t operator()(std::uint64_t position) const noexcept {
    do {
      position = cross(position);
    } while (position >= size_);
    return position;
  }

  /// Where the network leads from `position`, in range or not: what operator() repeats.
  constexpr std::uint32_t cross(std::uint64_t position) const noexcept;

 private:
  static constexpr std::uint32_t mix(std::uint32_t x) noexcept;

  /// std::bit_width, which nvcc 13.0 compiles to 0 in a kernel.
  static constexpr int bits_of(std::uint64_t n) noexcept {
    int bits = 0;
    for (; n > 0; n >>= 1) ++bits;
    return bits;
  }

  std::uint64_t size_;
  std::array<std::uint32_t, rounds> keys_;
  int half_bits_;
};

/// The finaliser of MurmurHash3 by Austin Appleby: every input bit flips every output bit with a
/// probability near one half, at two multiplications.
constexpr std::uint32_t Permutation::mix(std::uint32_t x) noexcept {
  x ^= x >> 16;
  x *= 0x85EBCA6B;
  x ^= x >> 13;
  x *= 0xC2B2AE35;
  return x ^ (x >> 16);
}

constexpr std::uint32_t Permutation::cross(std::uint64_t position) const noexcept {
  const std::uint32_t mask = static_cast<std::uint32_t>((std::uint64_t{1} << half_bits_) - 1);
  auto left = static_cast<std::uint32_t>(position >> half_bits_);
  auto right = static_cast<std::uint32_t>(position) & mask;
  for (const std::uint32_t key : keys_) {
    const std::uint32_t next = left ^ (mix(right ^ key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

/// The permutation of [0, size) that belongs to `random` and `number` (say, an epoch).
constexpr Permutation shuffle(std::uint64_t size, const Random& random,
                              std::uint64_t number) noexcept {
  const auto a = random.block(2 * number);
  const auto b = random.block(2 * number + 1);
  return Permutation(size, {a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]});
}

}  // namespace lockstep
