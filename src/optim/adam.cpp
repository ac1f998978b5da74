#include <lockstep/optim/adam.hpp>

#include <array>
#include <cmath>

#include <lockstep/core/clones.hpp>
#include <lockstep/core/exact_math.hpp>
#include <lockstep/core/fixed_point.hpp>
#include <lockstep/core/range.hpp>

#include "adam_update.hpp"

namespace lockstep {
namespace {

LOCKSTEP_CLONES
void update_all(const AdamUpdate update, double factor, std::size_t n,
                const std::int64_t* __restrict sum, float* __restrict p, float* __restrict m,
                float* __restrict v) {
  for (std::size_t i = 0; i < n; ++i) {
    update(static_cast<float>(nearest_double(sum[i]) * factor), p[i], m[i], v[i]);
  }
}

LOCKSTEP_CLONES
void update_all(const AdamUpdate update, double inverse, std::size_t n,
                const float* __restrict sum, float* __restrict p, float* __restrict m,
                float* __restrict v) {
  const auto factor = static_cast<float>(inverse);
  for (std::size_t i = 0; i < n; ++i) update(sum[i] * factor, p[i], m[i], v[i]);
}

LOCKSTEP_CLONES
void add_squares(const std::int64_t* sum, double factor, std::size_t n, double* chains) {
  for (std::size_t i = 0; i < n; ++i) {
    const double g = nearest_double(sum[i]) * factor;
    chains[i] = fused(g, g, chains[i]);
  }
}

}  // namespace

float adam_rate(const AdamConfig& config, double rate, std::uint64_t step) noexcept {
  return static_cast<float>(rate * std::sqrt(1.0 - power(config.beta2, step)) /
                            (1.0 - power(config.beta1, step)));
}

AdamUpdate adam_update(const AdamConfig& config, float rate) noexcept {
  const auto beta1 = static_cast<float>(config.beta1);
  const auto beta2 = static_cast<float>(config.beta2);
  return {rate, beta1, 1.0f - beta1, beta2, 1.0f - beta2, static_cast<float>(config.epsilon)};
}

double gradient_norm(std::span<const std::int64_t> sum, std::uint64_t samples) noexcept {
  const double factor = fixed_point_unit / static_cast<double>(samples);
  std::array<double, norm_chains> chains{};
  for (std::size_t i = 0; i < sum.size(); i += norm_chains) {
    add_squares(&sum[i], factor, std::min(norm_chains, sum.size() - i), chains.data());
  }
  for (std::size_t half = norm_chains / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) chains[i] = chains[i] + chains[i + half];
  }
  return std::sqrt(chains[0]);
}

Adam::Adam(const AdamConfig& config, std::size_t parameters)
    : config_(config), first_(parameters), second_(parameters) {}

void Adam::step(std::span<float> parameters, std::span<const std::int64_t> sum,
                std::uint64_t samples, double rate, std::uint64_t step, Team& team) {
  double factor = fixed_point_unit / static_cast<double>(samples);
  if (config_.clip_norm > 0) {
    factor = clipped(factor, gradient_norm(sum, samples), config_.clip_norm);
  }
  share_out(parameters, sum, factor, rate, step, team);
}

void Adam::step(std::span<float> parameters, std::span<const float> sum, std::uint64_t samples,
                double rate, std::uint64_t step, Team& team) {
  share_out(parameters, sum, 1.0 / static_cast<double>(samples), rate, step, team);
}

template <typename Sum>
void Adam::share_out(std::span<float> parameters, std::span<const Sum> sum, double factor,
                     double rate, std::uint64_t step, Team& team) {
  const AdamUpdate update = adam_update(config_, adam_rate(config_, rate, step));
  team.run([&](std::size_t worker) {
    const Range own = part(parameters.size(), team.size(), worker);
    update_all(update, factor, own.size(), &sum[own.begin], &parameters[own.begin], &first_[own.begin],
               &second_[own.begin]);
  });
}

}  // namespace lockstep
