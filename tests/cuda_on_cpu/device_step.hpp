#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <lockstep/model/engine.hpp>
#include <lockstep/optim/adam.hpp>

namespace lockstep {

/// A small training to be done by the kernels and by `reference`: the same pictures at every step.
struct Training {
  ModelShape shape;
  std::vector<std::size_t> blocks;  // the samples of a step
  std::size_t steps = 1;
  AdamConfig adam{};
  float limit = 8192;
};

/// What a training came to.
struct Trained {
  std::vector<std::int64_t> first_sum;  // of the first step
  std::vector<float> parameters, first_moment, second_moment;
  std::vector<float> probabilities;  // of the pictures, at the end
  Tally tally;                       // of all steps
  Tally evaluation;

  bool operator==(const Trained& other) const;
};

Trained train_on_device(const Training& training);
Trained train_by_reference(const Training& training);

}  // namespace lockstep
