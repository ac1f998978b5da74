#pragma once

#include <cmath>

/// A function marked so is compiled for the host and, by nvcc, for the GPU as well. `constexpr`
/// functions are too, without the mark (nvcc --expt-relaxed-constexpr).
#if defined(__CUDACC__)
#define LOCKSTEP_INLINE __host__ __device__ __forceinline__
#else
#define LOCKSTEP_INLINE inline __attribute__((always_inline))
#endif

namespace lockstep {

// The operations for which a GPU's compiler has less exact ones at hand, by the names of those that
// round once. Additions and multiplications are written as such: nvcc -fmad=false fuses none.

/// a * b + c, rounded once.
LOCKSTEP_INLINE float fused(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a, b, c);
#else
  return std::fma(a, b, c);
#endif
}

LOCKSTEP_INLINE double fused(double a, double b, double c) {
#if defined(__CUDA_ARCH__)
  return __fma_rn(a, b, c);
#else
  return std::fma(a, b, c);
#endif
}

LOCKSTEP_INLINE float divide(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fdiv_rn(a, b);
#else
  return a / b;
#endif
}

LOCKSTEP_INLINE double divide(double a, double b) {
#if defined(__CUDA_ARCH__)
  return __ddiv_rn(a, b);
#else
  return a / b;
#endif
}

LOCKSTEP_INLINE float square_root(float x) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(x);
#else
  return std::sqrt(x);
#endif
}

LOCKSTEP_INLINE double square_root(double x) {
#if defined(__CUDA_ARCH__)
  return __dsqrt_rn(x);
#else
  return std::sqrt(x);
#endif
}

/// The nearest integer, ties to even.
LOCKSTEP_INLINE long long nearest_integer(double x) {
#if defined(__CUDA_ARCH__)
  return __double2ll_rn(x);
#else
  return std::llrint(x);
#endif
}

}  // namespace lockstep
