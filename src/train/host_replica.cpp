#include "host_replica.hpp"

#include <algorithm>

#include <lockstep/core/clock.hpp>
#include <lockstep/data/shards.hpp>

namespace lockstep {

HostReplica::HostReplica(std::vector<float> parameters, std::vector<LocalShard> shards,
                         std::size_t batch_size, std::unique_ptr<Engine> engine,
                         Communicator& communicator, Team& team, const AdamConfig& adam,
                         const Schedule& schedule)
    : parameters_(std::move(parameters)),
      shards_(std::move(shards)),
      batch_size_(batch_size),
      engine_(std::move(engine)),
      communicator_(communicator),
      team_(team),
      adam_(adam, parameters_.size()),
      schedule_(schedule),
      sum_(parameters_.size(), communicator.size()) {
  for (const LocalShard& shard : shards_) own_samples_ += shard.share();
  for (std::size_t i = 1; i < team_.size(); ++i) worker_sums_.emplace_back(parameters_.size());
  load_parameters();
}

void HostReplica::load_parameters() {
  engine_->set_parameters(parameters_);
  fingerprint_ = fingerprint(parameters_);
}

StepOutcome HostReplica::step(std::uint64_t step, const RankReport& request) {
  const double begin = seconds_now();
  sum_.clear();
  const Tally own = add_gradients(step);
  RankReport report = last_step_;
  report.stop = request.stop;
  report.failure = request.failure;
  sum_.seal(own, own_samples_, communicator_.rank(), report, fingerprint_);
  const double computed = seconds_now();
  communicator_.all_reduce(sum_.block());
  last_step_ = {.compute_seconds = computed - begin, .reduce_seconds = seconds_now() - computed};
  sum_.verify(step, batch_size_, fingerprint_);
  adam_.step(parameters_, sum_.gradient(), batch_size_, schedule_.rate(step), step);
  load_parameters();
  return {sum_.tally(), sum_.stop(), sum_.failure(), sum_.reports()};
}

/// The gradients of this rank's shards, summed into the first worker's buffer: integers, so that it
/// does not matter which worker took which shard.
Tally HostReplica::add_gradients(std::uint64_t step) {
  std::vector<Tally> tallies(team_.size());
  team_.run([&](std::size_t worker) {
    if (worker > 0) std::ranges::fill(worker_sums_[worker - 1].span(), 0);
    const auto sum = worker == 0 ? sum_.gradient() : worker_sums_[worker - 1].span();
    const Range own = part(shards_.size(), team_.size(), worker);
    for (std::size_t shard = own.begin; shard < own.end; ++shard) {
      tallies[worker] += engine_->add_gradient(shards_[shard].batch(step), sum, worker);
    }
  });
  Tally total = tallies[0];
  for (std::size_t worker = 1; worker < team_.size(); ++worker) {
    total += tallies[worker];
    const auto from = worker_sums_[worker - 1].span();
    std::ranges::transform(sum_.gradient(), from, sum_.gradient().begin(), std::plus<>());
  }
  return total;
}

Tally HostReplica::tally(std::uint64_t step) {
  Tally total;
  for (LocalShard& shard : shards_) total += evaluate(shard.batch(step), {});
  return total;
}

Tally HostReplica::evaluate(const Batch& batch, std::span<float> probabilities) {
  std::vector<Tally> tallies(team_.size());
  const std::size_t classes = batch.size() == 0 ? 0 : probabilities.size() / batch.size();
  team_.run([&](std::size_t worker) {
    const Range own = part(batch.size(), team_.size(), worker);
    const Batch mine{batch.rows, batch.columns, batch.pictures.subspan(own.begin, own.size()),
                     batch.labels.subspan(own.begin, own.size())};
    tallies[worker] = engine_->evaluate(
        mine, probabilities.subspan(own.begin * classes, own.size() * classes), worker);
  });
  Tally total;
  for (const Tally& tally : tallies) total += tally;
  return total;
}

}  // namespace lockstep
