#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include <core/cuda.cuh>
#include <lockstep/optim/adam.hpp>
#include <optim/adam_update.hpp>

namespace lockstep {

/// Where a training stands, in the GPU's memory.
struct AdamState {
  float* parameters;
  float* first_moment;
  float* second_moment;
};

/// A step of Adam, as a part of a kernel: from one state to the other.
struct AdamStep {
  AdamUpdate update;      // but for the rate
  double factor;          // from the sum to the gradient: 2^-44 / samples
  const double* clipped;  // the same where the gradient is clipped, else null
  AdamState before, after;

  /// For parameter i with that part of the sum; `rate` is adam_rate() of the step.
  __device__ void operator()(unsigned i, std::int64_t sum, float rate) const {
    AdamUpdate own = update;
    own.rate = rate;
    float p = before.parameters[i], m = before.first_moment[i], v = before.second_moment[i];
    own(gradient_value(sum, clipped != nullptr ? *clipped : factor), p, m, v);
    after.parameters[i] = p;
    after.first_moment[i] = m;
    after.second_moment[i] = v;
  }
};

/// Weights and moments on a GPU, with the bits of Adam. There are two states: a step writes the one
/// that the step before it has read. So a step whose sum turns out wrong has changed nothing, and
/// the sum can be verified while the step is taken.
class DeviceAdam {
 public:
  /// Memory for `parameters` weights, undefined at first. A step sums over `samples`.
  DeviceAdam(const AdamConfig& config, std::size_t parameters, std::size_t samples);

  std::size_t parameters() const noexcept { return parameters_; }

  /// Where the training stands after so many more steps than those that it has advanced.
  AdamState state(std::size_t steps = 0) const noexcept;
  void advance(std::size_t steps) noexcept { current_ = (current_ + steps) % 2; }
  /// Tells apart the two states.
  std::size_t current() const noexcept { return current_; }

  /// The step from state(steps). If clips(), clip() goes before it, when the sum is there.
  AdamStep step(std::size_t steps = 0) const noexcept;
  bool clips() const noexcept { return config_.clip_norm > 0; }
  void clip(const std::int64_t* sum, cudaStream_t stream);

 private:
  AdamConfig config_;
  unsigned parameters_;
  double factor_;
  std::size_t current_ = 0;
  std::array<cuda::DeviceMemory<float>, 2> memory_;  // parameters, then both moments
  cuda::DeviceMemory<double> clipped_{1};
};

}  // namespace lockstep
