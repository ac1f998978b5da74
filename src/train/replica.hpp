#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <lockstep/model/engine.hpp>
#include <lockstep/train/training_state.hpp>

#include "sum_tail.hpp"

namespace lockstep {

/// What this rank's steps took so far, part by part.
struct StepSeconds {
  EngineSeconds engine;  // the mean over the rank's threads
  double compute = 0;  // all until the sum is sealed: the engine's parts, and waiting among threads
  double seal = 0;     // adding up the threads' sums, checksum
  double all_reduce = 0;  // waiting for the other ranks included
  double verify = 0;
  double adam = 0;
  double load = 0;  // giving the engine the new parameters, fingerprint
};

/// A part of a step on a GPU.
struct PartSeconds {
  std::string name;
  double seconds = 0;
};

/// What is asked of a step, and said with it.
struct StepRequest {
  bool stop = false;        // this rank was asked to stop
  int failure = 0;          // as RankReport::failure
  std::uint64_t until = 0;  // nothing but outcomes is wanted before this step is taken
};

/// Parameters, moments and the reduction buffer in one memory, and how to take a step with them.
/// All ranks' replicas go through the same states.
class Replica {
 public:
  virtual ~Replica() = default;

  /// Takes step `step` (from 1). Collective. Throws what throw_fault throws; if it throws,
  /// the state is that before the step. May take the steps up to request.until at once, though none
  /// after one that fails or that the ranks agree to end with: the next calls then tell what they
  /// came to, and their requests are not looked at.
  virtual StepOutcome step(std::uint64_t step, const StepRequest& request) = 0;

  /// This rank's part of the tally of a step's batch with the parameters as they are now.
  virtual Tally tally(std::uint64_t step) = 0;

  /// Forward passes over pictures, shared among the rank's threads. `probabilities` [size][classes]
  /// or empty.
  virtual Tally evaluate(const Batch& batch, std::span<float> probabilities) = 0;

  virtual std::span<const float> parameters() const = 0;

  /// A copy of where the training stands: after the last step taken.
  virtual TrainingState state() const = 0;
  /// Goes on from there: the next step to take is state.step + 1. The blocks must have the sizes of
  /// this replica's.
  virtual void restore(const TrainingState& state) = 0;

  /// What this rank's last step took, in RankReport's terms.
  virtual RankReport last_step() const = 0;

  /// Of a replica on a GPU: what each part adds to a step, all-reduce included, measured on the
  /// GPU. To be called after a step. Collective. The median of so many launches of 64 steps. Empty
  /// where the CPU has a part in the step. The state is worthless afterwards.
  virtual std::vector<PartSeconds> time_parts(std::size_t launches);
};

inline std::vector<PartSeconds> Replica::time_parts(std::size_t) {
  return {};
}

}  // namespace lockstep
