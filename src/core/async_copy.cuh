#pragma once

namespace lockstep::cuda {

// GPUs before sm_80 copy at once.

/// Begins to copy 16 bytes of the GPU's memory to shared memory, each aligned to 16 bytes, past the
/// thread's registers; where `wanted` is false they become 0.
__device__ inline void begin_copy_16(void* to_shared, const void* from, bool wanted = true) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                   static_cast<unsigned>(__cvta_generic_to_shared(to_shared))),
               "l"(from), "r"(wanted ? 16 : 0)
               : "memory");
#else
  *static_cast<float4*>(to_shared) =
      wanted ? *static_cast<const float4*>(from) : float4{0.0f, 0.0f, 0.0f, 0.0f};
#endif
}

/// The copies that the thread began since the last call are a group, which may be empty.
__device__ inline void end_copy_group() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits until all but the thread's newest `count` groups of copies are done. Other threads see
/// them after a barrier.
template <int count>
__device__ inline void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(count) : "memory");
#endif
}

}  // namespace lockstep::cuda
