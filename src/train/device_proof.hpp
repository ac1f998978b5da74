#pragma once

#include <span>
#include <string>

#include <lockstep/model/shape.hpp>
#include <lockstep/optim/adam.hpp>
#include <lockstep/optim/schedule.hpp>
#include <lockstep/train/training_state.hpp>

#include "local_shard.hpp"

namespace lockstep {

/// Computes the same on the GPU that is current and on the CPU, with the shard's samples alone: an
/// evaluation, a first step, and eight steps that are launched together. A run's weights must not
/// depend on what has computed them, and no later check would tell where all ranks are on GPUs that
/// err alike. Sums over ranks are not part of it: every step checks its own.
/// `gpu` is its name, `limit` as in EngineConfig.
/// Throws Error (internal) where the bits differ, and where the GPU fails at it.
void prove_device(const std::string& gpu, const ModelShape& shape, float limit,
                  std::span<const float> parameters, const LocalShard& shard,
                  const AdamConfig& adam, const Schedule& schedule);

/// The comparison, the gradient's moments before the weights: throws Error (internal) at the first
/// value of another bit pattern.
void expect_same_bits(const std::string& gpu, const TrainingState& found,
                      const TrainingState& expected);

}  // namespace lockstep
