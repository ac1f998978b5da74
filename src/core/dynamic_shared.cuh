#pragma once

namespace lockstep::cuda {

/// The shared memory whose size the launch names, for a block of threads; aligned to 16 bytes.
template <typename T>
__device__ T& dynamic_shared() {
  extern __shared__ float4 memory[];
  return *reinterpret_cast<T*>(memory);
}

}  // namespace lockstep::cuda
