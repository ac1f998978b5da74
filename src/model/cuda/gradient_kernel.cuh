#pragma once

#include <model/device_network.cuh>

#include "arithmetic.hpp"

// The weight gradient of every block of samples: for each parameter one chain over (time
// descending, samples ascending), rounded once and added to the sum by an integer atomic.

namespace lockstep::network {

constexpr unsigned gradient_threads = 64;
constexpr unsigned tile = 32;         // rows and columns of the parameters for a block of threads
constexpr unsigned thread_tile = 4;   // and for one thread
constexpr unsigned most_terms = 128;  // of the chains, in shared memory at a time

/// Products a^T b over the terms of a block of samples: `rows` x `columns` parameters that lie side
/// by side in the sum. Of tensor `tensor`, but for the last row, the bias's, of the tensor after
/// it.
struct Outer {
  const float* a;  // of the first sample at the first time; so many values lie between
  std::size_t a_sample, a_time;
  const float* b;
  std::size_t b_sample, b_time;
  unsigned times, rows, columns;
  std::int64_t* sum;
  unsigned tensor;

  __host__ __device__ unsigned tile_columns() const { return (columns + tile - 1) / tile; }
  __host__ __device__ unsigned tiles() const { return (rows + tile - 1) / tile * tile_columns(); }
};

struct GradientTask {
  Outer recurrent;
  Outer head;
  const SampleBlock* blocks;  // gridDim.y
  float limit;
  DeviceTally* tally;
};

/// The terms' values for a tile, zero beyond the matrix.
struct Terms {
  alignas(16) float a[most_terms][tile];
  alignas(16) float b[most_terms][tile];
};

struct Sums {
  float values[thread_tile][thread_tile];
};

/// Brings the times [begin, end), counted from the last backwards, into shared memory.
__device__ inline void load_terms(const Outer& outer, const SampleBlock& block, unsigned row,
                                  unsigned column, unsigned begin, unsigned end, Terms& terms) {
  const unsigned lane = threadIdx.x % tile, warp = threadIdx.x / tile;
  const bool in_a = row + lane < outer.rows, in_b = column + lane < outer.columns;
  for (unsigned u = begin; u < end; ++u) {
    const std::size_t t = outer.times - 1 - u;
    const float* a = outer.a + t * outer.a_time + row + lane;
    const float* b = outer.b + t * outer.b_time + column + lane;
#pragma unroll 4
    for (unsigned s = warp; s < block.count; s += gradient_threads / tile) {
      const unsigned n = (u - begin) * block.count + s;
      terms.a[n][lane] = in_a ? a[(block.first + s) * outer.a_sample] : 0.0f;
      terms.b[n][lane] = in_b ? b[(block.first + s) * outer.b_sample] : 0.0f;
    }
  }
}

__device__ inline void add_terms(const Terms& terms, unsigned count, unsigned row, unsigned column,
                                 Sums& sums) {
#pragma unroll 4
  for (unsigned n = 0; n < count; ++n) {
    const float4 a4 = *reinterpret_cast<const float4*>(&terms.a[n][row]);
    const float4 b4 = *reinterpret_cast<const float4*>(&terms.b[n][column]);
    const float a[thread_tile] = {a4.x, a4.y, a4.z, a4.w};
    const float b[thread_tile] = {b4.x, b4.y, b4.z, b4.w};
#pragma unroll
    for (unsigned i = 0; i < thread_tile; ++i) {
#pragma unroll
      for (unsigned j = 0; j < thread_tile; ++j) {
        sums.values[i][j] = fused(a[i], b[j], sums.values[i][j]);
      }
    }
  }
}

__device__ inline void add_fixed(const Outer& outer, const GradientTask& task, unsigned row,
                                 unsigned column, const Sums& sums) {
  unsigned invalid = 0;
#pragma unroll
  for (unsigned i = 0; i < thread_tile; ++i) {
#pragma unroll
    for (unsigned j = 0; j < thread_tile; ++j) {
      if (row + i >= outer.rows || column + j >= outer.columns) continue;
      const float g = sums.values[i][j];
      if (g < task.limit && g > -task.limit) {
        auto* sum = outer.sum + std::size_t{row + i} * outer.columns + column + j;
        atomicAdd(reinterpret_cast<unsigned long long*>(sum),
                  static_cast<unsigned long long>(to_fixed(g)));
      } else {
        invalid |= 1u << (outer.tensor + (row + i + 1 == outer.rows ? 1 : 0));
      }
    }
  }
  if (invalid != 0) atomicOr(&task.tally->invalid, invalid);
}

__global__ void __launch_bounds__(gradient_threads) add_block_gradient(GradientTask task) {
  __shared__ Terms terms;
  const bool recurrent = blockIdx.x < task.recurrent.tiles();
  const Outer outer = recurrent ? task.recurrent : task.head;
  const unsigned number = recurrent ? blockIdx.x : blockIdx.x - task.recurrent.tiles();
  const unsigned row = number / outer.tile_columns() * tile;
  const unsigned column = number % outer.tile_columns() * tile;
  const unsigned own_row = threadIdx.x / (tile / thread_tile) * thread_tile;
  const unsigned own_column = threadIdx.x % (tile / thread_tile) * thread_tile;
  const SampleBlock block = task.blocks[blockIdx.y];
  const unsigned times_at_once = most_terms / block.count;
  Sums sums{};
  for (unsigned begin = 0; begin < outer.times; begin += times_at_once) {
    const unsigned end = begin + times_at_once < outer.times ? begin + times_at_once : outer.times;
    if (begin > 0) __syncthreads();
    load_terms(outer, block, row, column, begin, end, terms);
    __syncthreads();
    add_terms(terms, (end - begin) * block.count, own_row, own_column, sums);
  }
  add_fixed(outer, task, row + own_row, column + own_column, sums);
}

}  // namespace lockstep::network
