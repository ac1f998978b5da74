#pragma once

namespace lockstep::cuda {

// A kernel that is launched with LaunchShape::early may begin before the kernel before it on the
// stream has ended, once all blocks of that one have let it. GPUs before sm_90 know neither.

/// The next kernel may begin as far as there is room for its blocks.
__device__ inline void let_next_kernel_begin() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/// The kernel before has ended, and what it wrote is there.
__device__ inline void wait_for_kernel_before() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

}  // namespace lockstep::cuda
