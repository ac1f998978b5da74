#include <lockstep/core/fixed_point.hpp>

#include <bit>
#include <cmath>

namespace lockstep {

float fixed_point_limit(std::uint64_t terms) noexcept {
  return std::ldexp(1.0f, 63 - fixed_point_bits) / static_cast<float>(std::bit_ceil(terms));
}

}  // namespace lockstep
