#pragma once

#include "replica.hpp"

namespace lockstep {

/// Hands every call on to another replica: the base of those that change some. The caller keeps
/// `inner` alive.
class ForwardingReplica : public Replica {
 public:
  explicit ForwardingReplica(Replica& inner) : inner_(inner) {}

  StepOutcome step(std::uint64_t step, const StepRequest& request) override {
    return inner_.step(step, request);
  }
  Tally tally(std::uint64_t step) override { return inner_.tally(step); }
  Tally evaluate(const Batch& batch, std::span<float> probabilities) override {
    return inner_.evaluate(batch, probabilities);
  }
  std::span<const float> parameters() const override { return inner_.parameters(); }
  TrainingState state() const override { return inner_.state(); }
  void restore(const TrainingState& state) override { inner_.restore(state); }
  RankReport last_step() const override { return inner_.last_step(); }

 private:
  Replica& inner_;
};

}  // namespace lockstep
