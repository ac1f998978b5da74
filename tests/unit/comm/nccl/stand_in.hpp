#pragma once

#include <nccl.h>

#include <atomic>
#include <functional>
#include <string>

namespace lockstep::nccl_stand_in {

/// What NCCL's functions do here: communicators join ranks that are threads, "device" memory is the
/// host's, and a sum is done at once when its last rank has come. As in NCCL, a non-blocking call
/// goes on after it returned, and no call but an abort may be made meanwhile.

/// A cudaStream_t that counts: what was enqueued on it, and what has ended, done or aborted.
struct Stream {
  std::atomic<int> pending = 0;
  cudaStream_t handle() { return reinterpret_cast<cudaStream_t>(this); }
};

/// How the library behaves; set by a test before its ranks start, and reset() by the next.
struct Behaviour {
  /// Called on each rank in ncclCommInitRankConfig, before it joins; may throw.
  std::function<void(int rank)> on_join = [](int) {};
  std::function<int()> version = [] { return NCCL_VERSION_CODE; };
  ncclResult_t unique_id = ncclSuccess;  // what ncclGetUniqueId returns
};
Behaviour& behaviour();
void reset();

/// From now on the communicators of this rank report an asynchronous error.
void fail(int rank, ncclResult_t error);

/// Communicators that are neither aborted nor destroyed.
int living();

}  // namespace lockstep::nccl_stand_in
