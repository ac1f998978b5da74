#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <lockstep/model/engine.hpp>

#include "gradient_sum.hpp"

namespace lockstep {

/// What a step came to over all ranks.
struct StepOutcome {
  Tally tally;
  bool stop = false;                // a rank asked to stop after this step
  int failure = 0;                  // rank 0's report failed with this exit code
  std::vector<RankReport> reports;  // of every rank, for the step before
};

/// Parameters, moments and the reduction buffer in one memory, and how to take a step with them.
/// All ranks' replicas go through the same states.
class Replica {
 public:
  virtual ~Replica() = default;

  /// Takes step `step` (from 1). Collective. Throws what GradientSum::verify throws.
  virtual StepOutcome step(std::uint64_t step, const RankReport& request) = 0;

  /// This rank's part of the tally of a step's batch with the parameters as they are now.
  virtual Tally tally(std::uint64_t step) = 0;

  /// Forward passes over pictures, shared among the rank's threads. `probabilities` [size][classes]
  /// or empty.
  virtual Tally evaluate(const Batch& batch, std::span<float> probabilities) = 0;

  virtual std::span<const float> parameters() const = 0;

  /// What this rank's last step took, in RankReport's terms.
  virtual RankReport last_step() const = 0;
};

}  // namespace lockstep
