#pragma once

#include <cmath>

#include "tuned_gradient_chains.cuh"

// What a block of threads does with the chains of its tile, and the head's gradient.

namespace lockstep::network {

/// to_fixed(value): the product is exact in fp32 too, and needs one conversion less.
__device__ inline unsigned long long to_fixed_at_once(float value) {
  return static_cast<unsigned long long>(__float2ll_rn(value * fixed_point_scale));
}

/// The value as it is added, or 0 and the flag where it is out of range.
__device__ inline unsigned long long checked_fixed(float value, float limit, unsigned flag,
                                                   unsigned& invalid) {
  const bool valid = std::fabs(value) < limit;
  if (!valid) invalid |= flag;
  return to_fixed_at_once(valid ? value : 0.0f);
}

/// Adds a tile to the sum by lines of 32 neighbours; returns the sum of what it added.
__device__ inline unsigned long long put_tile(const TunedGradientTask& task, Corner corner,
                                              LanePlace place, const Sums& sums, FixedTile& tile) {
  unsigned long long added = 0;
  unsigned invalid = 0;
#pragma unroll
  for (unsigned i = 0; i < thread_rows; ++i) {
    const unsigned row = corner.row + LanePlace::row(place.down, i);
    const bool inside = row < tuned_inputs;
    const unsigned flag = inside ? 1u << (row + 1 == tuned_inputs ? 1 : 0) : 0;
    TwoFixed two[2];
#pragma unroll
    for (unsigned j = 0; j < thread_columns; ++j) {
      const float g = inside ? sums.values[i][j] : 0.0f;
      const unsigned long long fixed = checked_fixed(g, task.limit, flag, invalid);
      two[j / 2].values[j % 2] = fixed;
      added += fixed;
    }
    TwoFixed* to = tile.values[i][place.down] + place.across * 2;
    to[place.down % 2] = two[0];
    to[1 - place.down % 2] = two[1];
  }
  if (invalid != 0) atomicOr(&task.tally->invalid, invalid);
  return added;
}

__device__ inline void add_lines(const TunedGradientTask& task, Corner corner,
                                 const FixedTile& tile) {
  constexpr unsigned lines = tile_rows * tile_columns / gradient_threads;  // of each warp
  constexpr unsigned at_once = gradient_threads / tile_columns;
  static_assert(at_once == 2, "so a thread's lines are all even or all odd");
  const unsigned column = threadIdx.x % tile_columns, odd = threadIdx.x / tile_columns;
  unsigned long long values[lines];
#pragma unroll
  for (unsigned k = 0; k < lines; ++k) {
    const TwoFixed* from = tile.values[k * at_once / lane_rows][k * at_once % lane_rows + odd];
    values[k] = from[column / 2 ^ odd].values[column % 2];
  }
  // No branch, or each would wait for its value alone: rows beyond the matrix add their zeros to
  // its last one.
  auto* sum = reinterpret_cast<unsigned long long*>(task.sum) + corner.column + column;
#pragma unroll
  for (unsigned k = 0; k < lines; ++k) {
    const unsigned row =
        corner.row + LanePlace::row(k * at_once % lane_rows + odd, k * at_once / lane_rows);
    atomicAdd(sum + (row < tuned_inputs ? row : tuned_inputs - 1) * Tuned::units, values[k]);
  }
}

/// As much of add_checksum as comes before the barrier.
__device__ inline void sum_warp(unsigned long long value, unsigned long long* of_warps) {
  for (unsigned lanes = warp / 2; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(~0u, value, static_cast<int>(lanes));
  }
  if (threadIdx.x % warp == 0) of_warps[threadIdx.x / warp] = value;
}

/// After the barrier.
__device__ inline void put_checksum(const unsigned long long* of_warps, unsigned long long* to) {
  if (to == nullptr || threadIdx.x > 0) return;
  unsigned long long value = of_warps[0];
  for (unsigned i = 1; i < gradient_threads / warp; ++i) value += of_warps[i];
  atomicAdd(to, value);
}

__device__ inline void add_tile(const TunedGradientTask& task) {
  auto& shared = cuda::dynamic_shared<TunedGradientShared>();
  const unsigned tile = blockIdx.y;
  const Corner corner{tile / tiles_across * tile_rows, tile % tiles_across * tile_columns};
  const LanePlace place;
  const SampleBlock block = task.block(blockIdx.x);
  Sums sums{};
  const unsigned last =
      add_chunks(TermCopies(task, block, corner), task.times, place, shared, sums);
  FixedTile& tile_values = shared.tile_beside(last);
  sum_warp(put_tile(task, corner, place, sums, tile_values), shared.of_warps);
  __syncthreads();
  add_lines(task, corner, tile_values);
  put_checksum(shared.of_warps, task.checksum);
}

/// Blocks of samples whose gradient of the head is one block of threads' work: for the default
/// recipe those are as many as an H200 has multiprocessors besides those with a tile.
constexpr unsigned head_blocks = 4;
constexpr unsigned head_samples = head_blocks * most_samples;

struct HeadShared {
  alignas(16) float d[Tuned::most_classes][head_samples];
  unsigned long long of_warps[gradient_threads / warp];
};

/// The samples' derivatives by the logits.
__device__ inline void load_derivatives(const TunedGradientTask& task, unsigned first_block,
                                        HeadShared& shared) {
  for (unsigned k = threadIdx.x; k < head_samples * task.classes; k += gradient_threads) {
    const unsigned slot = k / task.classes, c = k % task.classes, s = slot % most_samples;
    const SampleBlock block = task.block(first_block + slot / most_samples);
    shared.d[c][slot] = s < block.count ? task.d[(block.first + s) * task.classes + c] : 0.0f;
  }
}

/// The samples' values of a unit in h_T.
struct LastStates {
  float values[head_samples];

  __device__ void load(const TunedGradientTask& task, unsigned first_block) {
    const std::size_t sample = std::size_t{task.times + 1} * tuned_input_width;
    const float* ends = task.inputs + task.times * tuned_input_width + Tuned::columns;
#pragma unroll
    for (unsigned n = 0; n < head_samples; ++n) {
      const SampleBlock block = task.block(first_block + n / most_samples);
      const unsigned s = n % most_samples;
      values[n] = s < block.count ? ends[(block.first + s) * sample + threadIdx.x] : 0.0f;
    }
  }
};

/// One parameter of the head; returns what it added, the blocks' values together.
__device__ inline unsigned long long add_head_value(const TunedGradientTask& task,
                                                    const LastStates& h, const float* d,
                                                    unsigned place, unsigned flag) {
  unsigned long long fixed = 0;
  unsigned invalid = 0;
#pragma unroll
  for (unsigned n = 0; n < head_samples; n += most_samples) {
    float sum = 0;
#pragma unroll
    for (unsigned s = n; s < n + most_samples; ++s) sum = fused(h.values[s], d[s], sum);
    fixed += checked_fixed(sum, task.limit, flag, invalid);
  }
  auto* head = reinterpret_cast<unsigned long long*>(task.sum) + tuned_inputs * Tuned::units;
  atomicAdd(head + place, fixed);
  if (invalid != 0) atomicOr(&task.tally->invalid, invalid);
  return fixed;
}

__device__ inline void add_head(const TunedGradientTask& task, unsigned first_block) {
  static_assert(gradient_threads == Tuned::units && gradient_threads >= Tuned::most_classes);
  auto& shared = cuda::dynamic_shared<HeadShared>();
  LastStates h;
  h.load(task, first_block);
  load_derivatives(task, first_block, shared);
  __syncthreads();
  unsigned long long added = 0;
#pragma unroll 2
  for (unsigned c = 0; c < task.classes; ++c) {
    added += add_head_value(task, h, shared.d[c], threadIdx.x * task.classes + c, 1u << 2);
  }
  if (threadIdx.x < task.classes) {
    for (float& one : h.values) one = 1;
    added += add_head_value(task, h, shared.d[threadIdx.x],
                            Tuned::units * task.classes + threadIdx.x, 1u << 3);
  }
  sum_warp(added, shared.of_warps);
  __syncthreads();
  put_checksum(shared.of_warps, task.checksum);
}

/// A grid of blocks of samples x (tiles and one line for the head, the last: its few blocks of
/// threads get multiprocessors that no tile has).
__global__ void __launch_bounds__(gradient_threads)
    add_block_gradient_tuned(TunedGradientTask task) {
  if (blockIdx.y < tuned_tiles) {
    add_tile(task);
  } else if (blockIdx.x * head_blocks < task.block_count) {
    add_head(task, blockIdx.x * head_blocks);
  }
}

}  // namespace lockstep::network
