#pragma once

// In the place of src/core/async_copy.cuh. A copy is done when its thread waits for it, so that a
// missing wait shows.

#include <cuda_runtime.h>

#include "../copies.hpp"

namespace lockstep::cuda {

inline void begin_copy_16(void* to_shared, const void* from, bool wanted = true) {
  cuda_on_cpu::begin_copy({to_shared, wanted ? from : nullptr});
}

inline void end_copy_group() {
  cuda_on_cpu::end_copy_group();
}

template <int count>
void wait_for_copies() {
  cuda_on_cpu::Copy copy;
  while (cuda_on_cpu::next_copy(count, copy)) {
    auto* to = static_cast<float4*>(copy.to);
    *to = copy.from == nullptr ? float4{} : *static_cast<const float4*>(copy.from);
  }
}

}  // namespace lockstep::cuda
