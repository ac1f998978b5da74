#include <lockstep/core/range.hpp>

namespace lockstep {

Range part(std::size_t n, std::size_t parts, std::size_t i) noexcept {
  // n i / parts without the overflow of n i: n = quotient * parts + rest.
  const std::size_t quotient = n / parts;
  const std::size_t rest = n % parts;
  const auto bound = [&](std::size_t k) { return quotient * k + rest * k / parts; };
  return {bound(i), bound(i + 1)};
}

}  // namespace lockstep
