#pragma once

#include <lockstep/comm/forwarding_communicator.hpp>

#include "pulse.hpp"

namespace lockstep {

/// A communicator whose rank is seen to wait while it is in a call.
class WatchedCommunicator final : public ForwardingCommunicator {
 public:
  WatchedCommunicator(Communicator& inner, Pulse& pulse)
      : ForwardingCommunicator(inner), pulse_(pulse) {}

  void all_reduce(std::span<std::int64_t> values) override {
    const Pulse::Phase waiting(pulse_, Activity::waiting);
    ForwardingCommunicator::all_reduce(values);
  }
  void all_reduce(std::span<float> values) override {
    const Pulse::Phase waiting(pulse_, Activity::waiting);
    ForwardingCommunicator::all_reduce(values);
  }
  void broadcast(std::span<std::byte> bytes, std::size_t root) override {
    const Pulse::Phase waiting(pulse_, Activity::waiting);
    ForwardingCommunicator::broadcast(bytes, root);
  }
  void barrier() override {
    const Pulse::Phase waiting(pulse_, Activity::waiting);
    ForwardingCommunicator::barrier();
  }
  void settle() override {
    const Pulse::Phase waiting(pulse_, Activity::waiting);
    ForwardingCommunicator::settle();
  }
  /// Who polls waits for others by other means, until its phase ends.
  void poll() override {
    if (pulse_.activity() != Activity::waiting) pulse_.set(Activity::waiting);
    ForwardingCommunicator::poll();
  }
  std::vector<std::size_t> recover() override {
    const Pulse::Phase waiting(pulse_, Activity::waiting);
    return ForwardingCommunicator::recover();
  }

 private:
  Pulse& pulse_;
};

}  // namespace lockstep
