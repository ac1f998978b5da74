#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <lockstep/comm/forwarding_communicator.hpp>

namespace lockstep {

/// A communicator that can give this rank a wrong sum, as a broken network would: for rehearsals.
class SpoilingCommunicator final : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;

  /// In the next sum of integers one bit of one value will be wrong here; `place` wraps around.
  void spoil_next_sum(std::size_t place, unsigned bit) noexcept { spoiled_ = {place, bit}; }

  using ForwardingCommunicator::all_reduce;
  void all_reduce(std::span<std::int64_t> values) override {
    ForwardingCommunicator::all_reduce(values);
    if (const auto spoiled = std::exchange(spoiled_, {})) {
      values[spoiled->place % values.size()] ^= std::int64_t{1} << spoiled->bit;
    }
  }

 private:
  struct Bit {
    std::size_t place;
    unsigned bit;
  };
  std::optional<Bit> spoiled_;
};

}  // namespace lockstep
