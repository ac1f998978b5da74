#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include <core/cuda.cuh>
#include <lockstep/optim/adam.hpp>

namespace lockstep {

/// Whether a step may be taken, and how, in the GPU's memory: written by whoever verifies the sum.
struct AdamTurn {
  double factor;  // from the sum to the gradient: 2^-44 / samples; Adam lowers it to clip
  float rate;     // adam_rate() of the step
  unsigned go;    // 0: nothing changes
};

/// Adam on a GPU, with the bits of Adam: kernels on the caller's stream, without a wait.
class DeviceAdam {
 public:
  DeviceAdam(const AdamConfig& config, std::size_t parameters);

  /// One update from the exact sum, which is zero afterwards, for the next step.
  void step(float* parameters, std::int64_t* sum, AdamTurn* turn, cudaStream_t stream);

  /// The moments, to be set before the first step; in the GPU's memory.
  float* first_moment() const noexcept { return first_.data(); }
  float* second_moment() const noexcept { return second_.data(); }

 private:
  AdamConfig config_;
  cuda::DeviceMemory<float> first_;
  cuda::DeviceMemory<float> second_;
};

}  // namespace lockstep
