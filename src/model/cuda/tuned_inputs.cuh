#pragma once

#include "tuned_weights.cuh"

// The input's part of the sums of all rows: pixels and weights on their way from the GPU's memory.

namespace lockstep::network {

/// A thread's part of the other weights, on their way to shared memory.
struct OtherWeights {
  static constexpr unsigned kernel_loads = Tuned::columns * Tuned::units / 4 / Tuned::threads;
  static constexpr unsigned head_loads = Tuned::most_classes * Tuned::units / 4 / Tuned::threads;
  float4 kernel[kernel_loads], head[head_loads];
  float bias, head_bias = 0.0f;

  __device__ explicit OtherWeights(const SampleTask& task) : bias(task.bias()[threadIdx.x]) {
#pragma unroll
    for (unsigned i = 0; i < kernel_loads; ++i) {
      kernel[i] = reinterpret_cast<const float4*>(task.parameters)[place(i)];
    }
#pragma unroll
    for (unsigned i = 0; i < head_loads; ++i) {
      if (is_in_head(task, i)) head[i] = reinterpret_cast<const float4*>(task.head())[place(i)];
    }
    if (threadIdx.x < task.classes) head_bias = task.head_bias()[threadIdx.x];
  }

  __device__ void write(const SampleTask& task, TunedShared& shared) const {
#pragma unroll
    for (unsigned i = 0; i < kernel_loads; ++i) {
      reinterpret_cast<float4*>(shared.kernel)[place(i)] = kernel[i];
    }
#pragma unroll
    for (unsigned i = 0; i < head_loads; ++i) {
      if (is_in_head(task, i)) reinterpret_cast<float4*>(shared.head)[place(i)] = head[i];
    }
    shared.bias[threadIdx.x] = bias;
    if (threadIdx.x < task.classes) shared.head_bias[threadIdx.x] = head_bias;
  }

 private:
  static __device__ unsigned place(unsigned i) {
    return i * Tuned::threads + threadIdx.x;
  }
  static __device__ bool is_in_head(const SampleTask& task, unsigned i) {
    return place(i) < Tuned::units / 4 * task.classes;
  }
};

/// A thread's pixels of a picture, four in a word.
struct PictureWords {
  static constexpr unsigned row = Tuned::columns / 4;
  static constexpr unsigned most = 2;
  std::uint32_t words[most];

  static_assert(Tuned::most_rows * row <= most * Tuned::threads);

  __device__ explicit PictureWords(const SampleWork& work) {
#pragma unroll
    for (unsigned i = 0; i < most; ++i) {
      const unsigned place = i * Tuned::threads + threadIdx.x;
      if (place < work.task.rows * row) {
        words[i] = reinterpret_cast<const std::uint32_t*>(work.pixels)[place];
      }
    }
  }

  /// As the network reads them.
  template <bool train>
  __device__ void write(const SampleWork& work, TunedShared& shared) const {
#pragma unroll
    for (unsigned i = 0; i < most; ++i) {
      const unsigned place = i * Tuned::threads + threadIdx.x;
      if (place >= work.task.rows * row) break;
      const unsigned t = place / row, column = place % row * 4;
      const float4 x{shared.ink[words[i] & 255], shared.ink[words[i] >> 8 & 255],
                     shared.ink[words[i] >> 16 & 255], shared.ink[words[i] >> 24]};
      *reinterpret_cast<float4*>(&shared.x[t][column]) = x;
      if (train) *reinterpret_cast<float4*>(work.task.input_row(work.sample, t) + column) = x;
    }
  }
};

/// The table of pixels, which costs no wait: the loads of a block's first sample are on their way.
__device__ inline void make_ink(TunedShared& shared) {
#pragma unroll
  for (unsigned i = threadIdx.x; i < 256; i += Tuned::threads) {
    shared.ink[i] = arithmetic::pixel(static_cast<std::uint8_t>(i));
  }
}

/// row[t + 1][j] = the chain of x_t over K's input rows, from the bias: a thread's four units, for
/// the rows of its warp. `before(k)` is done before every fourth k.
template <typename Work>
__device__ __forceinline__ void add_inputs(TunedShared& shared, const Work& before) {
  const unsigned unit = threadIdx.x % 32 * Tuned::each;
  const unsigned first = threadIdx.x / 32 * Tuned::rows_each;
  const float4 bias = *reinterpret_cast<const float4*>(&shared.bias[unit]);
  float4 sums[Tuned::rows_each];
#pragma unroll
  for (float4& sum : sums) sum = bias;
#pragma unroll
  for (unsigned k = 0; k < Tuned::columns; k += 4) {
    before(k);
    float4 weights[4];
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      weights[i] = *reinterpret_cast<const float4*>(&shared.kernel[k + i][unit]);
    }
#pragma unroll
    for (unsigned r = 0; r < Tuned::rows_each; ++r) {
      const float4 x = *reinterpret_cast<const float4*>(&shared.x[first + r][k]);
      const float terms[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        sums[r].x = fused(terms[i], weights[i].x, sums[r].x);
        sums[r].y = fused(terms[i], weights[i].y, sums[r].y);
        sums[r].z = fused(terms[i], weights[i].z, sums[r].z);
        sums[r].w = fused(terms[i], weights[i].w, sums[r].w);
      }
    }
  }
#pragma unroll
  for (unsigned r = 0; r < Tuned::rows_each; ++r) {
    *reinterpret_cast<float4*>(&shared.row[first + r + 1][unit]) = sums[r];
  }
}

}  // namespace lockstep::network
