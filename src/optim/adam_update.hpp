#pragma once

#include <cstddef>
#include <cstdint>

#include <lockstep/core/device.hpp>
#include <lockstep/optim/adam.hpp>

namespace lockstep {

/// The squares of the gradient's norm are added in so many chains, chain j over i = j, j + 64, ...
constexpr std::size_t norm_chains = 64;

/// Adam's update of one parameter, on the host or on a GPU.
struct AdamUpdate {
  float rate;
  float beta1, rest1;
  float beta2, rest2;
  float epsilon;

  LOCKSTEP_INLINE void operator()(float g, float& p, float& m, float& v) const {
    m = fused(beta1, m, rest1 * g);
    v = fused(beta2, v, rest2 * (g * g));
    p = p - divide(rate * m, square_root(v) + epsilon);
  }
};

AdamUpdate adam_update(const AdamConfig& config, float rate) noexcept;

/// A value of the exact sum as the gradient; `factor` is that of Adam.
LOCKSTEP_INLINE float gradient_value(std::int64_t sum, double factor) {
  return static_cast<float>(static_cast<double>(sum) * factor);
}

/// The factor, less where the norm is above the limit.
LOCKSTEP_INLINE double clipped(double factor, double norm, double limit) {
  return norm > limit ? factor * divide(limit, norm) : factor;
}

}  // namespace lockstep
