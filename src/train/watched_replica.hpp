#pragma once

#include "forwarding_replica.hpp"
#include "pulse.hpp"

namespace lockstep {

/// A replica whose rank is seen at its step, and to compute or to evaluate.
class WatchedReplica final : public ForwardingReplica {
 public:
  WatchedReplica(Replica& inner, Pulse& pulse) : ForwardingReplica(inner), pulse_(pulse) {}

  StepOutcome step(std::uint64_t step, const StepRequest& request) override {
    pulse_.set_step(step);
    const Pulse::Phase computing(pulse_, Activity::computing);
    return ForwardingReplica::step(step, request);
  }
  Tally tally(std::uint64_t step) override {
    const Pulse::Phase evaluating(pulse_, Activity::evaluating);
    return ForwardingReplica::tally(step);
  }
  Tally evaluate(const Batch& batch, std::span<float> probabilities) override {
    const Pulse::Phase evaluating(pulse_, Activity::evaluating);
    return ForwardingReplica::evaluate(batch, probabilities);
  }

 private:
  Pulse& pulse_;
};

}  // namespace lockstep
