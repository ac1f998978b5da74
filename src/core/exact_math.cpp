#include <lockstep/core/exact_math.hpp>

#include <numbers>

namespace lockstep {

double cos_pi(double x) noexcept {
  const double y = std::numbers::pi * (0.5 - x);
  const double square = y * y;
  double sum = 1.0;
  for (int n = 22; n > 0; n -= 2) sum = 1.0 - square / (n * (n + 1.0)) * sum;
  return y * sum;
}

double power(double base, std::uint64_t exponent) noexcept {
  double result = 1.0;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if (exponent & 1) result *= base;
  }
  return result;
}

}  // namespace lockstep
