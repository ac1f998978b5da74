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
  constexpr Random(std::uint64_t seed, Stream stream, std::uint32_t index = 0) noexcept
      : seed_(seed), stream_(stream), index_(index) {}

  /// Four independent 32-bit numbers.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t counter) const noexcept;

  /// Uniform in [0, 1), a multiple of 2^-24: the first number of block(counter).
  float uniform(std::uint64_t counter) const noexcept;

 private:
  std::uint64_t seed_;
  Stream stream_;
  std::uint32_t index_;
};

/// The bare function: ten rounds over a 128-bit counter with a 64-bit key.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) noexcept {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

constexpr std::array<std::uint32_t, 4> Random::block(std::uint64_t counter) const noexcept {
  return philox4x32({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                     index_, static_cast<std::uint32_t>(stream_)},
                    {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
}

}  // namespace lockstep
