#include <lockstep/core/fixed_point.hpp>

#include <bit>
#include <cmath>

namespace lockstep {

float fixed_point_limit(std::uint64_t terms) noexcept {
  return std::ldexp(1.0f, 63 - fixed_point_bits) / static_cast<float>(std::bit_ceil(terms));
}

std::int64_t to_fixed(float value) noexcept {
  // The product is exact in fp64; llrint rounds it once, in the default mode: ties to even.
  return std::llrint(static_cast<double>(value) * static_cast<double>(fixed_point_scale));
}

std::int64_t loss_to_fixed(float loss) noexcept {
  return std::llrint(static_cast<double>(loss) / loss_unit);
}

}  // namespace lockstep
