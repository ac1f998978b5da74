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

/// divide(a, b) where 1 <= b < 2^20 and |a| < 2^20, and where b is 1 if |a| < 2^-60. On a GPU these
/// are the steps of __fdiv_rn (Markstein, "Computation of Elementary Functions on the IBM RISC
/// System/6000 Processor", 1990) without its branch for quotients near the ends of the range.
LOCKSTEP_INLINE float divide_in_range(float a, float b) {
#if defined(__CUDA_ARCH__) && !defined(LOCKSTEP_CUDA_ON_CPU)
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(b));
  r = __fmaf_rn(r, __fmaf_rn(-b, r, 1.0f), r);
  const float q = __fmul_rn(a, r);
  const float quotient = __fmaf_rn(r, __fmaf_rn(-b, q, a), q);
  return fabsf(a) < 0x1p-60f ? a : quotient;
#else
  return divide(a, b);
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
