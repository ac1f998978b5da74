#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace lockstep::cuda {

constexpr std::size_t most_dynamic_shared = 227 * 1024;
alignas(16) __shared__ std::byte dynamic_shared_memory[most_dynamic_shared];

template <typename T>
T& dynamic_shared() {
  static_assert(sizeof(T) <= most_dynamic_shared);
  if (sizeof(T) > cuda_on_cpu::place.dynamic_shared_bytes) {
    cuda_on_cpu::report("a kernel uses more shared memory than its launch gives it");
  }
  return *reinterpret_cast<T*>(dynamic_shared_memory);
}

}  // namespace lockstep::cuda
