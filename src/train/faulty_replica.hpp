#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include <lockstep/train/fault.hpp>

#include "forwarding_replica.hpp"
#include "spoiling_communicator.hpp"

namespace lockstep {

/// A replica to which faults happen, each once.
class FaultyReplica final : public ForwardingReplica {
 public:
  /// `world` is what the replica sums with. `faults` are this rank's; those that happen are
  /// removed. `run` is the run folder.
  FaultyReplica(Replica& inner, SpoilingCommunicator& world, std::vector<Fault>& faults,
                std::filesystem::path run)
      : ForwardingReplica(inner), world_(world), faults_(faults), run_(std::move(run)) {}

  StepOutcome step(std::uint64_t step, const StepRequest& request) override;

 private:
  std::optional<Fault> take(FaultKind kind, std::uint64_t step);
  void spoil_weight();
  void flip_weight(const Fault& fault);
  void flip_moment(const Fault& fault);

  SpoilingCommunicator& world_;
  std::vector<Fault>& faults_;
  std::filesystem::path run_;
  bool slow_ = false;
};

}  // namespace lockstep
