#include "weight_difference.hpp"

#include <bit>

namespace lockstep {

namespace {

/// Ascends with the number: negative numbers count down from -1 (for -0).
std::int64_t ordinal(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::int64_t magnitude = bits & 0x7fffffffu;
  return bits >> 31 ? -magnitude - 1 : magnitude;
}

}  // namespace

std::uint64_t ulp_distance(float a, float b) noexcept {
  const std::int64_t difference = ordinal(a) - ordinal(b);
  return static_cast<std::uint64_t>(difference < 0 ? -difference : difference);
}

std::optional<WeightDifference> compare_weights(const ModelShape& shape, std::span<const float> a,
                                                std::span<const float> b) {
  WeightDifference furthest;
  for (const Tensor& tensor : tensors(shape)) {
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size(); ++i) {
      const std::uint64_t ulp = ulp_distance(a[i], b[i]);
      if (ulp > furthest.ulp) furthest = {std::string(tensor.name), ulp};
    }
  }
  if (furthest.ulp == 0) return std::nullopt;
  return furthest;
}

}  // namespace lockstep
