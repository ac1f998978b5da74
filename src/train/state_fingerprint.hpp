#pragma once

#include <cstdint>

#include <lockstep/train/training_state.hpp>

#include "sum_tail.hpp"

namespace lockstep {

/// A hash of weights and moments that any single changed bit changes: as fingerprint(), over all
/// three blocks. The step is not in it.
inline std::uint64_t fingerprint(const TrainingState& state) noexcept {
  return fingerprint(state.parameters) + 3 * fingerprint(state.first_moment) +
         5 * fingerprint(state.second_moment);
}

}  // namespace lockstep
