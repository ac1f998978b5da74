#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep {

/// Two running sums over a sequence, modulo 2^64, as in J. G. Fletcher, "An Arithmetic Checksum for
/// Serial Transmissions", IEEE Transactions on Communications 30 (1982). For each value x:
///   sum += x; order += sum
/// so `order` also changes where values change places. Both are linear: the checksum of the sums
/// over ranks is the sum of the ranks' checksums, so they verify an all-reduce.
struct Checksum {
  std::uint64_t sum = 0;
  std::uint64_t order = 0;

  bool operator==(const Checksum&) const = default;
};

Checksum checksum(std::span<const std::int64_t> values) noexcept;

/// Of a sequence with `first` that is followed by one of `size` values with `next`.
constexpr Checksum join(const Checksum& first, const Checksum& next, std::size_t size) noexcept {
  return {first.sum + next.sum, first.order + size * first.sum + next.order};
}

}  // namespace lockstep
