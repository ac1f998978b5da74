#include <lockstep/core/random.hpp>

namespace lockstep {

float Random::uniform(std::uint64_t counter) const noexcept {
  return static_cast<float>(block(counter)[0] >> 8) * 0x1p-24f;
}

}  // namespace lockstep
