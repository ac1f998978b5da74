#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <mutex>

#include <lockstep/train/run.hpp>

namespace lockstep {

/// What all ranks of a run, threads of this process, came to; they must agree. Rank 0's.
inline Summary run(const RunConfig& config, std::size_t ranks) {
  Summary result;
  std::mutex mutex;
  run_on_threads(ranks, [&](Communicator& world) {
    const Summary own = run_training(config, world);
    const std::lock_guard lock(mutex);
    if (!result.weights_sha256.empty()) {
      EXPECT_EQ(own.weights_sha256, result.weights_sha256);
      EXPECT_EQ(own.test_loss, result.test_loss);
    }
    if (result.weights_sha256.empty() || world.rank() == 0) result = own;
  });
  return result;
}

}  // namespace lockstep
