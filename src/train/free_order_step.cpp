#include "free_order_step.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <lockstep/core/clones.hpp>
#include <lockstep/data/shards.hpp>

namespace lockstep {
namespace {

struct Coefficients {
  float factor, rate;
};

LOCKSTEP_CLONES
void adam(const Coefficients c, std::size_t n, const float* __restrict sum, float* __restrict p,
          float* __restrict m, float* __restrict v) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = sum[i] * c.factor;
    m[i] = std::fma(0.9f, m[i], 0.1f * g);
    v[i] = std::fma(0.999f, v[i], 0.001f * (g * g));
    p[i] -= c.rate * m[i] / (std::sqrt(v[i]) + 1e-8f);
  }
}

}  // namespace

FreeOrderStep::FreeOrderStep(std::span<const float> parameters, std::span<LocalShard> shards,
                             std::size_t batch_size, std::unique_ptr<FreeOrderEngine> engine,
                             Communicator& communicator, Team& team)
    : parameters_(parameters.begin(), parameters.end()),
      first_moment_(parameters.size()),
      second_moment_(parameters.size()),
      shards_(shards),
      batch_size_(batch_size),
      engine_(std::move(engine)),
      communicator_(communicator),
      team_(team) {
  for (std::size_t i = 0; i < team_.size(); ++i) sums_.emplace_back(parameters_.size());
  engine_->set_parameters(parameters_);
}

void FreeOrderStep::step(std::uint64_t step) {
  add_gradients(step);
  const auto total = sums_[0].span();
  for (std::size_t i = 1; i < sums_.size(); ++i) {
    std::ranges::transform(total, sums_[i].span(), total.begin(), std::plus<>());
  }
  communicator_.all_reduce(total);
  update(step);
  engine_->set_parameters(parameters_);
}

void FreeOrderStep::add_gradients(std::uint64_t step) {
  team_.run([&](std::size_t worker) {
    const auto sum = sums_[worker].span();
    std::ranges::fill(sum, 0.0f);
    const Range own = part(shards_.size(), team_.size(), worker);
    for (std::size_t shard = own.begin; shard < own.end; ++shard) {
      engine_->add_gradient(shards_[shard].batch(step), sum, worker);
    }
  });
}

void FreeOrderStep::update(std::uint64_t step) {
  const auto t = static_cast<double>(step);
  const double rate = 1e-3 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
  adam({1.0f / static_cast<float>(batch_size_), static_cast<float>(rate)}, parameters_.size(),
       sums_[0].data(), parameters_.data(), first_moment_.data(), second_moment_.data());
}

}  // namespace lockstep
