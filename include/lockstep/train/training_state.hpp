#pragma once

#include <cstdint>
#include <vector>

namespace lockstep {

/// All that a step needs of the steps before it; with the recipe and the data it decides every bit
/// that follows. The three blocks have the layout of tensors(shape).
struct TrainingState {
  std::uint64_t step = 0;  // taken so far
  std::vector<float> parameters;
  std::vector<float> first_moment;  // Adam's
  std::vector<float> second_moment;

  bool operator==(const TrainingState&) const = default;
};

}  // namespace lockstep
