#include <lockstep/core/clock.hpp>

#include <chrono>

namespace lockstep {

double seconds_now() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace lockstep
