#include <optim/device_adam.cuh>

#include <lockstep/core/fixed_point.hpp>

namespace lockstep {
namespace {

/// The factor, lowered where the gradient's norm is above the limit: gradient_norm() with a thread
/// for each chain.
__global__ void __launch_bounds__(norm_chains)
    find_factor(const std::int64_t* sum, unsigned n, double factor, double limit,
                double* clipped_factor) {
  __shared__ double chains[norm_chains];
  double chain = 0.0;
#pragma unroll 8
  for (unsigned i = threadIdx.x; i < n; i += norm_chains) {
    const double g = static_cast<double>(sum[i]) * factor;
    chain = fused(g, g, chain);
  }
  chains[threadIdx.x] = chain;
  for (unsigned half = norm_chains / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) {
      chains[threadIdx.x] = chains[threadIdx.x] + chains[threadIdx.x + half];
    }
  }
  if (threadIdx.x == 0) *clipped_factor = clipped(factor, square_root(chains[0]), limit);
}

}  // namespace

DeviceAdam::DeviceAdam(const AdamConfig& config, std::size_t parameters, std::size_t samples)
    : config_(config),
      parameters_(static_cast<unsigned>(parameters)),
      factor_(fixed_point_unit / static_cast<double>(samples)),
      memory_{cuda::DeviceMemory<float>(3 * parameters),
              cuda::DeviceMemory<float>(3 * parameters)} {}

AdamState DeviceAdam::state(std::size_t steps) const noexcept {
  float* const parameters = memory_[(current_ + steps) % 2].data();
  return {parameters, parameters + parameters_, parameters + 2 * std::size_t{parameters_}};
}

AdamStep DeviceAdam::step(std::size_t steps) const noexcept {
  return {adam_update(config_, 0.0f), factor_, clips() ? clipped_.data() : nullptr, state(steps),
          state(steps + 1)};
}

void DeviceAdam::clip(const std::int64_t* sum, cudaStream_t stream) {
  cuda::launch(stream, 1, norm_chains, find_factor, sum, parameters_, factor_, config_.clip_norm,
               clipped_.data());
}

}  // namespace lockstep
