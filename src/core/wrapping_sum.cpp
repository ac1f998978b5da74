#include <lockstep/core/wrapping_sum.hpp>

#include <cstddef>

#include <lockstep/core/clones.hpp>

namespace lockstep {
namespace {

LOCKSTEP_CLONES
std::uint64_t sum(const std::int64_t* values, std::size_t n) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < n; ++i) total += static_cast<std::uint64_t>(values[i]);
  return total;
}

}  // namespace

std::int64_t wrapping_sum(std::span<const std::int64_t> values) noexcept {
  return static_cast<std::int64_t>(sum(values.data(), values.size()));
}

}  // namespace lockstep
