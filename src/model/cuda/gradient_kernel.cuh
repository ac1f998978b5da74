#pragma once

#include "gradient_chains.cuh"

// The weight gradient of every block of samples: for each parameter one chain over (time
// descending, samples ascending), rounded once and added to the sum by an integer atomic.

namespace lockstep::network {

struct GradientTask {
  Outer recurrent;
  Outer head;
  const SampleBlock* blocks;  // gridDim.x, or null: all of most_samples
  float limit;
  DeviceTally* tally;
  unsigned long long* checksum;  // of what was added; may be null
};

/// Returns the sum of what it added. All values are rounded before the first is added, so that they
/// need not wait for each other.
__device__ inline unsigned long long add_fixed(const Outer& outer, const GradientTask& task,
                                               Corner corner, const Sums& sums) {
  const unsigned first_row = corner.row + threadIdx.x / lane_columns;
  const unsigned first_column = corner.column + threadIdx.x % lane_columns;
  const auto is_below = [](float g, float limit) { return g < limit && g > -limit; };
  // Nothing is below the limit beyond the matrix.
  float limits[thread_columns];
#pragma unroll
  for (unsigned j = 0; j < thread_columns; ++j) {
    limits[j] = first_column + j * lane_columns < outer.columns ? task.limit : 0.0f;
  }
  unsigned long long fixed[thread_rows][thread_columns];
  unsigned long long added = 0;
#pragma unroll
  for (unsigned i = 0; i < thread_rows; ++i) {
    const bool inside = first_row + i * lane_rows < outer.rows;
#pragma unroll
    for (unsigned j = 0; j < thread_columns; ++j) {
      const float g = inside ? sums.values[i][j] : 0.0f;
      fixed[i][j] = static_cast<unsigned long long>(to_fixed(is_below(g, limits[j]) ? g : 0.0f));
      added += fixed[i][j];
    }
  }
  unsigned invalid = 0;
#pragma unroll
  for (unsigned i = 0; i < thread_rows; ++i) {
    const unsigned row = first_row + i * lane_rows;
    if (row >= outer.rows) break;
    auto* sum = reinterpret_cast<unsigned long long*>(outer.sum) +
                std::size_t{row} * outer.columns + first_column;
    const unsigned bit = 1u << (outer.tensor + (row + 1 == outer.rows ? 1 : 0));
#pragma unroll
    for (unsigned j = 0; j < thread_columns; ++j) {
      if (first_column + j * lane_columns >= outer.columns) break;
      atomicAdd(sum + j * lane_columns, fixed[i][j]);
      if (!is_below(sums.values[i][j], task.limit)) invalid |= bit;
    }
  }
  if (invalid != 0) atomicOr(&task.tally->invalid, invalid);
  return added;
}

/// Adds up the threads' values by one atomic.
__device__ inline void add_checksum(unsigned long long value,
                                    unsigned long long (&of_warps)[gradient_threads / warp],
                                    unsigned long long* to) {
  for (unsigned lanes = warp / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(~0u, value, static_cast<int>(lanes));
  }
  if (threadIdx.x % warp == 0) of_warps[threadIdx.x / warp] = value;
  __syncthreads();
  if (threadIdx.x > 0) return;
  for (unsigned i = 1; i < gradient_threads / warp; ++i) value += of_warps[i];
  atomicAdd(to, value);
}

/// A grid of blocks of samples x tiles side by side x tiles below each other, the head's last: so
/// those that take long begin first, each on a multiprocessor of its own.
__global__ void __launch_bounds__(gradient_threads) add_block_gradient(GradientTask task) {
  __shared__ Terms terms[2];
  __shared__ unsigned long long of_warps[gradient_threads / warp];
  const unsigned down = task.recurrent.down();
  const bool recurrent = blockIdx.z < down;
  const Outer outer = recurrent ? task.recurrent : task.head;
  if (blockIdx.y >= outer.across()) return;
  const Corner corner{(recurrent ? blockIdx.z : blockIdx.z - down) * tile_rows,
                      blockIdx.y * tile_columns};
  const SampleBlock block = task.blocks == nullptr
                                ? SampleBlock{blockIdx.x * most_samples, most_samples}
                                : task.blocks[blockIdx.x];
  Sums sums{};
  if (outer.by_float4) {
    add_all<true>(outer, block, corner, terms, sums);
  } else {
    add_all<false>(outer, block, corner, terms, sums);
  }
  const unsigned long long added = add_fixed(outer, task, corner, sums);
  if (task.checksum != nullptr) add_checksum(added, of_warps, task.checksum);
}

}  // namespace lockstep::network
