#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace cuda_on_cpu {

/// What the program finds on this machine: the stand-in's GPUs, and in NCCL's place a reducer whose
/// sums are done when all ranks' streams have come there, and whose ranks hear of a loss by
/// Communicator::poll alone.
struct Machine {
  std::size_t gpus = 1;
  bool nccl = false;
  std::atomic<int> sums = 0;     // of all ranks
  std::atomic<int> misuses = 0;  // a graph that was still there when its reducer was given up
};
extern Machine machine;

/// Called on the rank's thread with what it gives to a sum; may change it, or throw RankDeath.
extern thread_local std::function<void(std::span<std::int64_t> values)> before_sum;

}  // namespace cuda_on_cpu
