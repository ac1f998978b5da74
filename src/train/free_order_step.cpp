#include "free_order_step.hpp"

#include <algorithm>
#include <functional>

#include <lockstep/core/range.hpp>

namespace lockstep {

constexpr double article_rate = 1e-3;

FreeOrderStep::FreeOrderStep(std::span<const float> parameters, std::span<LocalShard> shards,
                             std::size_t batch_size, std::unique_ptr<FreeOrderEngine> engine,
                             Communicator& communicator, Team& team)
    : parameters_(parameters.begin(), parameters.end()),
      adam_({}, parameters.size()),
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
  adam_.step(parameters_, std::span<const float>(total), batch_size_, article_rate, step, team_);
  engine_->set_parameters(parameters_);
}

void FreeOrderStep::add_gradients(std::uint64_t step) {
  team_.run([&](std::size_t worker) {
    const auto sum = sums_[worker].span();
    std::ranges::fill(sum, 0.0f);
    const Range own = part(shards_.size(), team_.size(), worker);
    take_batches(shards_.subspan(own.begin, own.size()), step,
                 [&](const Batch& batch) { engine_->add_gradient(batch, sum, worker); });
  });
}

}  // namespace lockstep
