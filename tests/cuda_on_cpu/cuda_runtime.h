#pragma once

// CUDA's language and runtime on the CPU, as far as lockstep's .cu files use them: these are
// compiled a second time, as plain C++, with this folder before CUDA's. A block's threads are
// fibers that run one at a time, each as long as it can, in an order shuffled by a seed; blocks run
// one after another, likewise. Streams are lazy: nothing happens before somebody waits, so that a
// missing wait shows.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "grid.hpp"

#define __CUDACC__ 1
#define __CUDA_ARCH__ 900
#define LOCKSTEP_CUDA_ON_CPU 1
#define __host__
#define __device__
#define __global__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
// A section of its own, so that the stand-in knows what is shared and can spoil it for every block.
// A template's variables do not get there, so only kernels and functions that are none declare
// some.
#define __shared__ static __attribute__((section("shared_memory")))

#define __syncthreads() cuda_on_cpu::barrier(__FILE__, __LINE__)

using dim3 = cuda_on_cpu::Size;
inline const dim3& threadIdx = cuda_on_cpu::place.thread;
inline const dim3& blockIdx = cuda_on_cpu::place.block;
inline const dim3& blockDim = cuda_on_cpu::place.block_size;
inline const dim3& gridDim = cuda_on_cpu::place.grid_size;

inline float __fmaf_rn(float a, float b, float c) {
  return std::fma(a, b, c);
}
inline double __fma_rn(double a, double b, double c) {
  return std::fma(a, b, c);
}
inline float __fdiv_rn(float a, float b) {
  return a / b;
}
inline double __ddiv_rn(double a, double b) {
  return a / b;
}
inline float __fsqrt_rn(float x) {
  return std::sqrt(x);
}
inline double __dsqrt_rn(double x) {
  return std::sqrt(x);
}
inline long long __double2ll_rn(double x) {
  return std::llrint(x);
}
inline long long __float2ll_rn(float x) {
  return std::llrint(x);
}

struct alignas(16) float4 {
  float x, y, z, w;
};

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = cuda_on_cpu::exchange(mask, bits, static_cast<unsigned>(lanes));
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int lane) {
  return __shfl_xor_sync(mask, value, static_cast<int>(threadIdx.x % 32) ^ lane);
}

// Not here, where the compiler would report their accesses as plain ones.
unsigned long long atomicAdd(unsigned long long* to, unsigned long long value);
inline void __syncwarp() {}     // orders a thread's own loads only; it excuses no race
unsigned atomicOr(unsigned* to, unsigned value);

enum cudaError_t {
  cudaSuccess,
  cudaErrorNotReady,
  cudaErrorMemoryAllocation,
  cudaErrorLaunchFailure
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal };
constexpr unsigned cudaStreamNonBlocking = 1;

using cudaStream_t = cuda_on_cpu::Stream*;
using cudaEvent_t = cuda_on_cpu::Event*;
using cudaGraph_t = cuda_on_cpu::Graph*;
using cudaGraphExec_t = cuda_on_cpu::Graph*;

inline const char* cudaGetErrorString(cudaError_t) {
  return "an error of the stand-in";
}
cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** memory, std::size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
cudaError_t cudaEventCreate(cudaEvent_t* event);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);

enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
inline cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return cudaSuccess;
}

enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin };
inline cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = cuda_on_cpu::control.shared_limit;
  return cudaSuccess;
}

struct cudaFuncAttributes {
  int ptxVersion;
};
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  attributes->ptxVersion = 90;
  return cudaSuccess;
}

enum cudaLaunchAttributeID { cudaLaunchAttributeProgrammaticStreamSerialization };
struct cudaLaunchAttribute {
  cudaLaunchAttributeID id;
  struct {
    int programmaticStreamSerializationAllowed;
  } val;
};

struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  const Call call{kernel, {std::forward<Arguments>(arguments)...}};
  const auto run = [](const void* made) {
    const Call& c = *static_cast<const Call*>(made);
    std::apply(c.kernel, c.arguments);
  };
  cuda_on_cpu::enqueue(config->stream, [call, run, grid = config->gridDim, block = config->blockDim,
                                        bytes = config->dynamicSmemBytes] {
    cuda_on_cpu::place.dynamic_shared_bytes = bytes;
    cuda_on_cpu::run_grid(grid, block, run, &call, sizeof call);
  });
  return cudaSuccess;
}
