#include <lockstep/optim/adam.hpp>

#include <array>
#include <cmath>

#include <lockstep/core/clones.hpp>
#include <lockstep/core/exact_math.hpp>
#include <lockstep/core/fixed_point.hpp>

namespace lockstep {
namespace {

constexpr std::size_t norm_chains = 64;

struct Coefficients {
  double factor;  // from the fixed-point sum to the gradient
  float rate;
  float beta1, rest1;
  float beta2, rest2;
  float epsilon;
};

LOCKSTEP_CLONES
void update(const Coefficients c, std::size_t n, const std::int64_t* __restrict sum,
            float* __restrict p, float* __restrict m, float* __restrict v) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = static_cast<float>(static_cast<double>(sum[i]) * c.factor);
    m[i] = std::fma(c.beta1, m[i], c.rest1 * g);
    v[i] = std::fma(c.beta2, v[i], c.rest2 * (g * g));
    p[i] = p[i] - (c.rate * m[i]) / (std::sqrt(v[i]) + c.epsilon);
  }
}

LOCKSTEP_CLONES
void add_squares(const std::int64_t* sum, double factor, std::size_t n, double* chains) {
  for (std::size_t i = 0; i < n; ++i) {
    const double g = static_cast<double>(sum[i]) * factor;
    chains[i] = std::fma(g, g, chains[i]);
  }
}

}  // namespace

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
                std::uint64_t samples, double rate, std::uint64_t step) {
  const auto beta1 = static_cast<float>(config_.beta1);
  const auto beta2 = static_cast<float>(config_.beta2);
  Coefficients c{fixed_point_unit / static_cast<double>(samples),
                 static_cast<float>(rate * std::sqrt(1.0 - power(config_.beta2, step)) /
                                    (1.0 - power(config_.beta1, step))),
                 beta1,
                 1.0f - beta1,
                 beta2,
                 1.0f - beta2,
                 static_cast<float>(config_.epsilon)};
  if (config_.clip_norm > 0) {
    const double norm = gradient_norm(sum, samples);
    if (norm > config_.clip_norm) c.factor = c.factor * (config_.clip_norm / norm);
  }
  update(c, parameters.size(), sum.data(), parameters.data(), first_.data(), second_.data());
}

}  // namespace lockstep
