#include <optim/device_adam.cuh>

#include "adam_update.hpp"

namespace lockstep {
namespace {

constexpr unsigned adam_threads = 256;

/// Lowers turn->factor where the gradient's norm is above the limit: gradient_norm() with a thread
/// for each chain, of `factor` as it comes.
__global__ void __launch_bounds__(norm_chains)
    clip(const std::int64_t* sum, unsigned n, double limit, AdamTurn* turn) {
  __shared__ double chains[norm_chains];
  const double factor = turn->factor;
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
  if (threadIdx.x == 0) turn->factor = clipped(factor, square_root(chains[0]), limit);
}

__global__ void __launch_bounds__(adam_threads)
    update_all(AdamUpdate update, const AdamTurn* turn, unsigned n, std::int64_t* sum, float* p,
               float* m, float* v) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || turn->go == 0) return;
  update.rate = turn->rate;
  update(gradient_value(sum[i], turn->factor), p[i], m[i], v[i]);
  sum[i] = 0;
}

}  // namespace

DeviceAdam::DeviceAdam(const AdamConfig& config, std::size_t parameters)
    : config_(config), first_(parameters), second_(parameters) {}

void DeviceAdam::step(float* parameters, std::int64_t* sum, AdamTurn* turn, cudaStream_t stream) {
  const auto n = static_cast<unsigned>(first_.size());
  if (config_.clip_norm > 0) {
    cuda::launch(stream, 1, norm_chains, clip, sum, n, config_.clip_norm, turn);
  }
  cuda::launch(stream, cuda::blocks_for(n, adam_threads), adam_threads, update_all,
               adam_update(config_, 0.0f), turn, n, sum, parameters, first_.data(), second_.data());
}

}  // namespace lockstep
