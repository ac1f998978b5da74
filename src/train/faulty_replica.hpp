#pragma once

#include <filesystem>
#include <vector>

#include <lockstep/train/fault.hpp>

#include "replica.hpp"
#include "spoiling_communicator.hpp"

namespace lockstep {

/// A replica to which faults happen, each once; else as the one that it stands for.
class FaultyReplica final : public Replica {
 public:
  /// `world` is what the replica sums with. `faults` are this rank's; those that happen are
  /// removed. `run` is the run folder.
  FaultyReplica(Replica& replica, SpoilingCommunicator& world, std::vector<Fault>& faults,
                std::filesystem::path run)
      : replica_(replica), world_(world), faults_(faults), run_(std::move(run)) {}

  StepOutcome step(std::uint64_t step, const StepRequest& request) override;
  Tally tally(std::uint64_t step) override { return replica_.tally(step); }
  Tally evaluate(const Batch& batch, std::span<float> probabilities) override {
    return replica_.evaluate(batch, probabilities);
  }
  std::span<const float> parameters() const override { return replica_.parameters(); }
  TrainingState state() const override { return replica_.state(); }
  void restore(const TrainingState& state) override { replica_.restore(state); }
  RankReport last_step() const override { return replica_.last_step(); }

 private:
  bool take(FaultKind kind, std::uint64_t step);
  void change_weight(float (*change)(float));

  Replica& replica_;
  SpoilingCommunicator& world_;
  std::vector<Fault>& faults_;
  std::filesystem::path run_;
  bool slow_ = false;
};

}  // namespace lockstep
