#pragma once

#include <cuda_runtime.h>

#include "arithmetic.hpp"

// A four-chain product is the work of four neighbouring threads: each walks one chain, then they
// add pairwise by shuffles. Additions commute, so all four have the result's bits.

namespace lockstep::network {

constexpr unsigned parts = 4;
constexpr unsigned all_lanes = 0xffffffffu;

/// The layout of a vector in shared memory whose quarters four threads read at the same time.
struct Quarters {
  unsigned terms, length, stride;

  __device__ unsigned place(unsigned k) const { return k / length * stride + k % length; }
};

/// In the general case they lie side by side.
__device__ inline Quarters plain_quarters(unsigned terms) {
  const auto length = static_cast<unsigned>(arithmetic::quarter(terms));
  return {terms, length, length};
}

/// The chain's sums of a thread, added over the four of its unit. Whole warps come here.
__device__ inline float add_parts(float sum) {
  sum = sum + __shfl_xor_sync(all_lanes, sum, 1);
  return sum + __shfl_xor_sync(all_lanes, sum, 2);
}

/// The weights of one direction for any size, read where they lie: term k of unit u is
/// weights[k * term_step + u * unit_step].
struct WeightsInMemory {
  const float* weights;
  unsigned term_step, unit_step;
  unsigned units;
  Quarters quarters;

  __device__ unsigned place(unsigned k) const { return quarters.place(k); }

  __device__ float product(unsigned unit, unsigned part, const float* vector, float start) const {
    float sum = part == 0 ? start : 0.0f;
    if (unit < units) {
      const unsigned begin = part * quarters.length;
      const unsigned end = min(begin + quarters.length, quarters.terms);
      const float* w = weights + unit * unit_step;
      for (unsigned k = begin; k < end; ++k) {
        sum = fused(vector[part * quarters.stride + k - begin], w[k * term_step], sum);
      }
    }
    return add_parts(sum);
  }

 private:
  static __device__ unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
};

}  // namespace lockstep::network
