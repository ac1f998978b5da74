#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <span>

#include <core/cuda.cuh>
#include <model/device_network.cuh>
#include <optim/device_adam.cuh>

#include "device_shards.cuh"
#include "sum_tail.hpp"

namespace lockstep {

/// What the host asks for, in the GPU's memory.
struct DeviceTurn {
  static constexpr std::size_t most_steps = 64;

  DeviceStep step{};          // the first
  ReportNumbers report{};     // of this rank; the times are those of the step before the first
  float rates[most_steps]{};  // adam_rate() of the steps
};

/// What a step came to.
struct StepVerdict {
  bool taken = false;
  SumFault fault = SumFault::none;  // why not; none where a step before it was the last
  ReportNumbers report;             // this rank's times
  std::span<const std::int64_t> tail;
};

/// What a warp, or all of them, found in the sum and in the weights.
struct SumParts {
  unsigned long long checksum, fingerprint;
};

/// What is known of a step when its gradient is complete: kept until the step is concluded, when
/// the next one may have begun.
struct SealedStep {
  DeviceTally tally;
  unsigned long long checksum;     // of what was added to the gradient
  unsigned long long fingerprint;  // of the weights
  long long when;                  // cuda::nanoseconds()
};

struct SumTask;

/// A step's gradient and tail in the GPU's memory, as GradientSum is in the host's, sealed and
/// verified there. After a sum that is wrong, or by which the ranks agreed to end, no later step
/// that was asked for with it is taken.
class DeviceSum {
 public:
  struct Sizes {
    std::size_t parameters, world_size, rank;
    std::size_t own_samples, batch_size;
    bool alone;  // nobody sums between the gradient and finish(), which then seals, too
  };
  DeviceSum(const Sizes& sizes, cudaStream_t stream);

  std::int64_t* block() const noexcept { return block_.data(); }  // the gradient first
  std::size_t size() const noexcept { return block_.size(); }
  DeviceTally* tally() const noexcept { return tally_.data(); }
  DeviceStep* step() const noexcept { return &turn_.data()->step; }
  /// To be added to: the checksum of what is added to the gradient.
  unsigned long long* checksum() const noexcept { return checksum_.data(); }

  // Each enqueues its work on the stream. `index` is a step's place among those that were asked
  // for.

  /// Zero, as the next gradient needs it. finish() leaves it so.
  void clear(cudaStream_t stream);

  /// What the next steps are to be. The turn before must have been waited for.
  void ask(const DeviceTurn& turn, cudaStream_t stream);

  /// Fills the tail when gradient and tally are complete. Not where `alone`.
  void seal(std::size_t index, const float* weights, cudaStream_t stream);

  /// Computes the state after the step from the reduced block. The step before must have been
  /// concluded.
  void finish(std::size_t index, const AdamStep& adam, cudaStream_t stream);

  /// Checks what finish() has read. The verdict says whether the state after the step counts. Also
  /// chooses the samples of the step after the next. Where `alone`, the next step's kernels before
  /// finish() may run at the same time.
  void conclude(std::size_t index, const SampleChoice& after_next, cudaStream_t stream);

  /// Brings to the host what the first `count` steps since ask() came to.
  void fetch(std::size_t count, cudaStream_t stream);

  /// To be called when the stream is done; valid until the next fetch().
  StepVerdict verdict(std::size_t i) const noexcept;

 private:
  SumTask task(std::size_t index) const noexcept;
  std::size_t tail_size() const noexcept { return lockstep::tail_size(sizes_.world_size); }

  Sizes sizes_;
  cuda::DeviceMemory<std::int64_t> block_;
  cuda::DeviceMemory<DeviceTally> tally_{1};
  cuda::DeviceMemory<unsigned long long> checksum_{1};
  cuda::DeviceMemory<SealedStep> sealed_{1};
  cuda::DeviceMemory<SumParts> parts_;  // of the warps of a grid
  cuda::DeviceMemory<DeviceTurn> turn_{1};
  cuda::DeviceMemory<std::int64_t> verdicts_;  // [DeviceTurn::most_steps][verdict_size + tail]
  cuda::PinnedMemory<DeviceTurn> asked_{1};
  cuda::PinnedMemory<std::int64_t> fetched_;
};

}  // namespace lockstep
