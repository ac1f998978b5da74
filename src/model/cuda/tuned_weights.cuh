#pragma once

#include "sample_kernel.cuh"

// What sample_kernel.cuh computes, for 128 units, rows of 28 pixels and up to 32 classes: a thread
// keeps its weights in registers. A multiprocessor's shared memory gives a warp 128 bytes a cycle,
// broadcast or not, so a thread uses each value that it reads for the chains of four units.

namespace lockstep::network {

struct Tuned {
  static constexpr unsigned units = 128, columns = 28;
  static constexpr unsigned most_rows = 28, most_classes = 32;
  static constexpr unsigned threads = units;
  static constexpr unsigned each = 4;               // units whose chains a thread walks
  static constexpr unsigned chain = units / parts;  // terms of a chain
  static constexpr unsigned stride = chain + 4;     // between chains' terms: four banks apart
  static constexpr unsigned vector_stride = 256;    // between vectors: a bit of their places
  static constexpr unsigned rows_each = 7;          // rows of the picture for a warp

  /// Where term k of a vector lies in shared memory.
  static __device__ unsigned place(unsigned k) { return k / chain * stride + k % chain; }
};

/// The recurrent weights in shared memory, for threads that read them by rows or by columns:
/// neither meets at a bank.
struct RecurrentRows {
  static constexpr unsigned row_stride = parts * Tuned::stride + 4;
  static constexpr unsigned skew = 8;  // more for every quarter of the rows
  alignas(16) float values[Tuned::units * row_stride + parts * skew];

  __device__ float4& at(unsigned row, unsigned column) {
    return *reinterpret_cast<float4*>(values + row * row_stride + row / Tuned::chain * skew +
                                      Tuned::place(column));
  }
};

/// What the threads of a block share.
struct TunedShared {
  alignas(16) float vector[2 * Tuned::vector_stride];  // a row's states, or dz; the next one's
  /// Row t + 1: the input's part of row t's sums. Row t: afterwards the states after row t.
  alignas(16) float row[Tuned::most_rows + 1][Tuned::units];
  alignas(16) float x[Tuned::most_rows][Tuned::columns];
  alignas(16) float kernel[Tuned::columns][Tuned::units];  // the input's rows
  alignas(16) float head[Tuned::units * Tuned::most_classes];
  RecurrentRows recurrent;
  alignas(16) float bias[Tuned::units];
  float ink[256];  // a byte as the network reads it
  float head_bias[Tuned::most_classes];
  float logits[Tuned::most_classes];
  float derivatives[Tuned::most_classes];  // by the logits
};

/// The recurrent weights of a thread, for one direction: of part `part` of the chains of the units
/// from `unit` on.
struct Chains {
  float weights[Tuned::each][Tuned::chain];
  unsigned unit = threadIdx.x / parts * Tuned::each;
  unsigned part = threadIdx.x % parts;

  /// Terms [begin, end); term k of unit j is weight [k][j].
  __device__ __forceinline__ void load_onward(const float* recurrent, unsigned begin,
                                              unsigned end) {
#pragma unroll
    for (unsigned k = begin; k < end; ++k) {
      const float4 w = *reinterpret_cast<const float4*>(
          recurrent + (part * Tuned::chain + k) * Tuned::units + unit);
      weights[0][k] = w.x;
      weights[1][k] = w.y;
      weights[2][k] = w.z;
      weights[3][k] = w.w;
    }
  }

  /// For the way back, when all threads have done so.
  __device__ void share(RecurrentRows& rows) const {
#pragma unroll
    for (unsigned k = 0; k < Tuned::chain; ++k) {
      rows.at(part * Tuned::chain + k, unit) =
          float4{weights[0][k], weights[1][k], weights[2][k], weights[3][k]};
    }
  }

  /// Term k of unit j is weight [j][k].
  __device__ void load_back(RecurrentRows& rows) {
#pragma unroll
    for (unsigned u = 0; u < Tuned::each; ++u) {
#pragma unroll
      for (unsigned k = 0; k < Tuned::chain; k += 4) {
        const float4 w = rows.at(unit + u, part * Tuned::chain + k);
        weights[u][k] = w.x;
        weights[u][k + 1] = w.y;
        weights[u][k + 2] = w.z;
        weights[u][k + 3] = w.w;
      }
    }
  }

  /// Where the thread's terms begin in a vector.
  __device__ unsigned first() const {
    return part * Tuned::stride;
  }

  /// The product for unit threadIdx.x with the terms from `from` on; `start` are those of the
  /// thread's four units.
  __device__ __forceinline__ float product(const float* from, float4 start) const {
    const auto* terms = reinterpret_cast<const float4*>(from);
    float sums[Tuned::each] = {0.0f, 0.0f, 0.0f, 0.0f};
    if (part == 0) {
      sums[0] = start.x;
      sums[1] = start.y;
      sums[2] = start.z;
      sums[3] = start.w;
    }
#pragma unroll
    for (unsigned k = 0; k < Tuned::chain; k += 4) {
      const float4 v = terms[k / 4];
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.x, weights[u][k], sums[u]);
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.y, weights[u][k + 1], sums[u]);
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.z, weights[u][k + 2], sums[u]);
#pragma unroll
      for (unsigned u = 0; u < Tuned::each; ++u) sums[u] = fused(v.w, weights[u][k + 3], sums[u]);
    }
    return add_chains(sums);
  }

 private:
  /// Four neighbouring threads have four chains of the same four units: each gets the sum of the
  /// unit of its part, (c0 + c1) + (c2 + c3).
  __device__ __forceinline__ float add_chains(const float (&sums)[Tuned::each]) const {
    const bool odd = (part & 1) != 0, upper = (part & 2) != 0;
    const float low = __shfl_xor_sync(all_lanes, odd ? sums[0] : sums[1], 1);
    const float high = __shfl_xor_sync(all_lanes, odd ? sums[2] : sums[3], 1);
    const float low_pair = (odd ? sums[1] : sums[0]) + low;
    const float high_pair = (odd ? sums[3] : sums[2]) + high;
    const float other = __shfl_xor_sync(all_lanes, upper ? low_pair : high_pair, 2);
    return (upper ? high_pair : low_pair) + other;
  }
};

}  // namespace lockstep::network
