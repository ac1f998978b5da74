#pragma once

#include <atomic>
#include <cstddef>

namespace cuda_on_cpu {

/// What the program finds on this machine: the stand-in's GPUs, and in NCCL's place a reducer that
/// sums over the communicator when the stream comes there.
struct Machine {
  std::size_t gpus = 1;
  bool nccl = false;
  std::atomic<int> sums = 0;     // by the reducers of all ranks
  std::atomic<int> misuses = 0;  // a graph that was still there when its reducer was given up
};
extern Machine machine;

}  // namespace cuda_on_cpu
