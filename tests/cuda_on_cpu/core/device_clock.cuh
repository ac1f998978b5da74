#pragma once

// In the place of src/core/device_clock.cuh, which is written in the GPU's assembler.

#include <lockstep/core/clock.hpp>

namespace lockstep::cuda {

inline long long nanoseconds() {
  return static_cast<long long>(seconds_now() * 1e9);
}

}  // namespace lockstep::cuda
