#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <lockstep/model/shape.hpp>

namespace lockstep {

/// Where two sets of weights are furthest apart.
struct WeightDifference {
  std::string tensor;
  std::uint64_t ulp = 0;  // how many fp32 numbers lie between, plus one
};

/// Steps from one fp32 number to the other through all that lie between; -0 and +0 are neighbours.
std::uint64_t ulp_distance(float a, float b) noexcept;

/// Nothing if both blocks [parameter_count(shape)] have the same bits.
std::optional<WeightDifference> compare_weights(const ModelShape& shape, std::span<const float> a,
                                                std::span<const float> b);

}  // namespace lockstep
