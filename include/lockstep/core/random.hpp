#pragma once

#include <array>
#include <cstdint>

namespace lockstep {

/// What a stream of random numbers is for; streams of different purposes never overlap.
enum class Stream : std::uint32_t { weights = 1, samples = 2, synthetic = 3 };

/// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel Random Numbers: As Easy
/// as 1, 2, 3", SC 2011. The same (seed, stream, index, counter) gives the same numbers on every
/// machine, in any order and from any thread.
class Random {
 public:
  Random(std::uint64_t seed, Stream stream, std::uint32_t index = 0) noexcept
      : seed_(seed), stream_(stream), index_(index) {}

  /// Four independent 32-bit numbers.
  std::array<std::uint32_t, 4> block(std::uint64_t counter) const noexcept;

  /// Uniform in [0, 1), a multiple of 2^-24: the first number of block(counter).
  float uniform(std::uint64_t counter) const noexcept;

 private:
  std::uint64_t seed_;
  Stream stream_;
  std::uint32_t index_;
};

/// The bare function: ten rounds over a 128-bit counter with a 64-bit key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) noexcept;

}  // namespace lockstep
