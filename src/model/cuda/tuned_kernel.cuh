#pragma once

#include <core/dynamic_shared.cuh>
#include <core/kernel_order.cuh>

#include "tuned_classes.cuh"
#include "tuned_inputs.cuh"
#include "tuned_weights.cuh"

// All rows of a sample, forward and backward, by one block of threads; see tuned_weights.cuh.

namespace lockstep::network {

/// The states after all rows, the last ones in shared.vector at (rows - 1) % 2 * vector_stride.
/// Begins after a barrier and ends with one. What no other thread waits for is stored behind the
/// product.
template <bool train>
__device__ void forward(const SampleWork& work, TunedShared& shared, const Chains& onward) {
  const unsigned j = threadIdx.x, rows = work.task.rows;
  unsigned to = Tuned::place(j), from = onward.first();
  float* input = work.task.input_row(work.sample, 1) + Tuned::columns + j;
  float z = shared.row[1][j];  // h_0 is zero, and so is its product
  for (unsigned t = 0; t < rows; ++t) {
    const float h = arithmetic::tanh(z);
    shared.vector[to] = h;
    __syncthreads();
    if (t + 1 < rows) {
      z = onward.product(&shared.vector[from],
                         *reinterpret_cast<const float4*>(&shared.row[t + 2][onward.unit]));
    }
    if (train) {
      shared.row[t][j] = h;
      *input = h;
      input += work.task.input_width;
    }
    to ^= Tuned::vector_stride;
    from ^= Tuned::vector_stride;
  }
}

/// dz of all rows, from the last.
__device__ inline void backward(const SampleWork& work, TunedShared& shared, const Chains& back) {
  const SampleTask& task = work.task;
  const unsigned j = threadIdx.x;
  unsigned to = Tuned::place(j), from = back.first();
  float* dz = task.dz + (std::size_t{work.sample} * task.rows + task.rows - 1) * task.dz_width + j;
  float slope = arithmetic::tanh_slope(shared.row[task.rows - 1][j]);
  float r = 0.0f;
  for (unsigned c = 0; c < task.classes; ++c) {
    r = fused(shared.derivatives[c], shared.head[j * task.classes + c], r);
  }
  for (unsigned t = task.rows - 1; t > 0; --t) {
    const float value = r * slope;
    shared.vector[to] = value;
    __syncthreads();
    slope = arithmetic::tanh_slope(shared.row[t - 1][j]);
    r = back.product(&shared.vector[from], float4{0.0f, 0.0f, 0.0f, 0.0f});
    *dz = value;
    dz -= task.dz_width;
    to ^= Tuned::vector_stride;
    from ^= Tuned::vector_stride;
  }
  *dz = r * slope;
}

template <bool train>
__device__ __forceinline__ void run_sample(const SampleWork& work, Chains& chains,
                                           TunedShared& shared) {
  if (train) chains.share(shared.recurrent);
  __syncthreads();
  forward<train>(work, shared, chains);
  add_head(work.task, shared);
  // While other warps load their weights, two of them see to what is small.
  if (threadIdx.x / 32 == 0) differentiate<train>(work, shared);
  if (threadIdx.x / 32 == 1) add_to_tally(work, shared);
  if constexpr (train) {
    chains.load_back(shared.recurrent);
    __syncthreads();
    backward(work, shared, chains);
  }
}

/// The first sample of a block. Loads are asked for in the order in which they are needed: all
/// blocks together want more of the L2 cache than it can give, so the recurrent weights, two thirds
/// of it, come beside the sums of the input. The compiler, which would change the order, moves no
/// load over a __syncwarp.
template <bool train>
__device__ __forceinline__ void run_first(const SampleTask& task, Chains& chains,
                                          TunedShared& shared) {
  constexpr unsigned at_once = 4, later = 4;
  const std::size_t place = place_of(task.pictures, blockIdx.x);
  const OtherWeights others(task);
  __syncwarp();
  const SampleWork work = sample_work(task, blockIdx.x, place, nullptr);
  const PictureWords picture(work);
  __syncwarp();
  chains.load_onward(task.recurrent(), 0, at_once);
  __syncwarp();
  make_ink(shared);
  others.write(task, shared);
  __syncthreads();
  picture.write<train>(work, shared);
  __syncthreads();
  add_inputs(shared, [&](unsigned k) {
    const unsigned begin = at_once + k / 4 * later;
    if (begin < Tuned::chain) chains.load_onward(task.recurrent(), begin, begin + later);
    __syncwarp();
  });
  run_sample<train>(work, chains, shared);
}

template <bool train>
__device__ __forceinline__ void run_tuned(const SampleTask& task, TunedShared& shared) {
  Chains chains;
  run_first<train>(task, chains, shared);
  if constexpr (!train) {
    for (unsigned sample = blockIdx.x + gridDim.x; sample < task.pictures.count;
         sample += gridDim.x) {
      const SampleWork work = sample_work(task, sample, place_of(task.pictures, sample), nullptr);
      PictureWords(work).write<false>(work, shared);
      __syncthreads();
      add_inputs(shared, [](unsigned) {});
      run_sample<false>(work, chains, shared);
    }
  }
}

/// A block of threads for each sample, to evaluate for several, with a TunedShared of dynamic
/// shared memory.
__global__ void __launch_bounds__(Tuned::threads) train_samples_tuned(SampleTask task) {
  cuda::wait_for_kernel_before();
  run_tuned<true>(task, cuda::dynamic_shared<TunedShared>());
}

__global__ void __launch_bounds__(Tuned::threads) evaluate_samples_tuned(SampleTask task) {
  run_tuned<false>(task, cuda::dynamic_shared<TunedShared>());
}

}  // namespace lockstep::network
