#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <lockstep/comm/forwarding_communicator.hpp>
#include <lockstep/core/checksum.hpp>

#include "sum_tail.hpp"

namespace lockstep {

/// A communicator in which bits of a sum flip on this rank: for rehearsals.
class SpoilingCommunicator final : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;

  /// In the next sum of integers one bit of one value will be wrong here, as by a broken network;
  /// `place` wraps around.
  void spoil_next_sum(std::size_t place, unsigned bit) noexcept { spoiled_ = {place, bit}; }

  /// One bit of this rank's part in the next step's gradient will be wrong, as by memory that fails
  /// before the checksum is computed: all ranks get the same wrong sum. `place` wraps around.
  void flip_next_gradient(std::size_t place, unsigned bit) noexcept { flipped_ = {place, bit}; }

  using ForwardingCommunicator::all_reduce;
  void all_reduce(std::span<std::int64_t> values) override {
    if (const auto flipped = std::exchange(flipped_, {})) flip_gradient(values, *flipped);
    ForwardingCommunicator::all_reduce(values);
    if (const auto spoiled = std::exchange(spoiled_, {})) {
      flip(values[spoiled->place % values.size()], spoiled->bit);
    }
  }

 private:
  struct Bit {
    std::size_t place;
    unsigned bit;
  };

  static void flip(std::int64_t& value, unsigned bit) noexcept { value ^= std::int64_t{1} << bit; }

  /// Seals the block again, as GradientSum does, so that its checksum holds.
  void flip_gradient(std::span<std::int64_t> block, const Bit& which) const noexcept {
    const auto plain_sum = checksum(block.first(block.size() - 1)).sum;
    const bool ordered = static_cast<std::uint64_t>(block.back()) != plain_sum;
    const auto content = block.first(block.size() - (ordered ? 2 : 1));
    const std::size_t parameters = content.size() + 1 - tail_size(size());
    flip(content[which.place % parameters], which.bit);
    const Checksum now = checksum(content);
    block[content.size()] = static_cast<std::int64_t>(now.sum);
    if (ordered) block.back() = static_cast<std::int64_t>(now.order);
  }

  std::optional<Bit> spoiled_;
  std::optional<Bit> flipped_;
};

}  // namespace lockstep
