#pragma once

namespace lockstep::cuda {

/// The GPU's time in nanoseconds, the same on all its multiprocessors; it moves on in jumps of up
/// to a microsecond.
__device__ inline long long nanoseconds() {
  unsigned long long now = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return static_cast<long long>(now);
}

}  // namespace lockstep::cuda
