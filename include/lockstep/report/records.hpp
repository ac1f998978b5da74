#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

/// What one rank spent on a step.
struct RankSeconds {
  double compute = 0;  // forward, backward and weight gradient
  double wait = 0;     // in the all-reduce, until the last rank came
  double reduce = 0;   // in the all-reduce, after that
};

struct StepRecord {
  std::uint64_t step = 0;  // from 1
  double epoch = 0;        // step / steps per epoch
  double loss = 0;         // of the batch, before the update
  double accuracy = 0;
  double rate = 0;                 // the learning rate
  double seconds = 0;              // the whole step on rank 0
  std::vector<RankSeconds> ranks;  // by rank
};

struct EpochRecord {
  std::size_t epoch = 0;  // from 1
  std::uint64_t step = 0;
  double train_loss = 0;  // of the epoch's last batch, after its update
  double train_accuracy = 0;
  double validation_loss = 0;  // NaN, and the next too, where there is no validation set
  double validation_accuracy = 0;
  double seconds = 0;  // since training began
};

}  // namespace lockstep
