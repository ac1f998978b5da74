#pragma once

#include <utility>

#include <lockstep/comm/forwarding_communicator.hpp>

namespace lockstep {

/// A communicator that can give this rank a wrong sum, as a broken network would: for rehearsals.
class SpoilingCommunicator final : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;

  /// The next sum of integers will be wrong here.
  void spoil_next_sum() noexcept { spoil_ = true; }

  using ForwardingCommunicator::all_reduce;
  void all_reduce(std::span<std::int64_t> values) override {
    ForwardingCommunicator::all_reduce(values);
    if (std::exchange(spoil_, false)) ++values.front();
  }

 private:
  bool spoil_ = false;
};

}  // namespace lockstep
