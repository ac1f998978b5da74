#pragma once

#include "pulse.hpp"
#include "replica.hpp"

namespace lockstep {

/// A replica whose rank is seen at its step, and to compute or to evaluate; else as the one that it
/// stands for.
class WatchedReplica final : public Replica {
 public:
  WatchedReplica(Replica& replica, Pulse& pulse) : replica_(replica), pulse_(pulse) {}

  StepOutcome step(std::uint64_t step, const StepRequest& request) override {
    pulse_.set_step(step);
    const Pulse::Phase computing(pulse_, Activity::computing);
    return replica_.step(step, request);
  }
  Tally tally(std::uint64_t step) override {
    const Pulse::Phase evaluating(pulse_, Activity::evaluating);
    return replica_.tally(step);
  }
  Tally evaluate(const Batch& batch, std::span<float> probabilities) override {
    const Pulse::Phase evaluating(pulse_, Activity::evaluating);
    return replica_.evaluate(batch, probabilities);
  }
  std::span<const float> parameters() const override { return replica_.parameters(); }
  TrainingState state() const override { return replica_.state(); }
  void restore(const TrainingState& state) override { replica_.restore(state); }
  RankReport last_step() const override { return replica_.last_step(); }

 private:
  Replica& replica_;
  Pulse& pulse_;
};

}  // namespace lockstep
