#pragma once

#include <span>
#include <string>

#include <lockstep/model/shape.hpp>
#include <lockstep/optim/adam.hpp>
#include <lockstep/optim/schedule.hpp>
#include <lockstep/train/training_state.hpp>

#include "local_shard.hpp"

namespace lockstep {

/// Takes the first step twice with the shard's samples alone, on the GPU that is current and on the
/// CPU: a run's weights must not hang on what has computed them, and no later check would tell
/// where all ranks are on GPUs that err alike. `gpu` is its name, `limit` as in EngineConfig.
/// Throws Error (internal) where they end in different bits.
void prove_device(const std::string& gpu, const ModelShape& shape, float limit,
                  std::span<const float> parameters, const LocalShard& shard,
                  const AdamConfig& adam, const Schedule& schedule);

/// The comparison: throws Error (internal) at the first value of another bit pattern.
void expect_same_bits(const std::string& gpu, const TrainingState& found,
                      const TrainingState& expected);

}  // namespace lockstep
