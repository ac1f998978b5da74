#include "host_replica.hpp"

#include <algorithm>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/range.hpp>

namespace lockstep {
namespace {

/// Adds the time since the last call to a part; returns the time of the call.
class Lap {
 public:
  explicit Lap(double begin) : last_(begin) {}
  double operator()(double& part) {
    const double now = seconds_now();
    part += now - last_;
    return last_ = now;
  }

 private:
  double last_;
};

}  // namespace

HostReplica::HostReplica(std::vector<float> parameters, std::vector<LocalShard> shards,
                         std::size_t batch_size, std::unique_ptr<Engine> engine,
                         Communicator& communicator, Team& team, const AdamConfig& adam,
                         const Schedule& schedule, bool with_gpus)
    : parameters_(std::move(parameters)),
      shards_(std::move(shards)),
      batch_size_(batch_size),
      engine_(std::move(engine)),
      communicator_(communicator),
      team_(team),
      adam_(adam, parameters_.size()),
      schedule_(schedule),
      sum_(parameters_.size(), communicator.size(), team.size(), !with_gpus) {
  for (const LocalShard& shard : shards_) own_samples_ += shard.share();
  load_parameters();
}

/// The first worker packs them, the last one takes their fingerprint.
void HostReplica::load_parameters() {
  team_.run([&](std::size_t worker) {
    if (worker == 0) engine_->set_parameters(parameters_);
    if (worker == team_.size() - 1) fingerprint_ = fingerprint(parameters_);
  });
}

StepOutcome HostReplica::step(std::uint64_t step, const StepRequest& request) {
  const double begin = seconds_now();
  Lap lap(begin);
  const Tally own = add_gradients(step);
  lap(seconds_.compute);
  sum_.merge(team_);
  sum_.seal(own, own_samples_, communicator_.rank(), report(request), fingerprint_);
  const double sealed = lap(seconds_.seal);
  communicator_.all_reduce(sum_.block());
  const double reduced = lap(seconds_.all_reduce);
  sum_.verify(step, batch_size_, fingerprint_);
  lap(seconds_.verify);
  adam_.step(parameters_, sum_.gradient(), batch_size_, schedule_.rate(step), step, team_);
  lap(seconds_.adam);
  step_ = step;
  load_parameters();
  lap(seconds_.load);
  last_step_ = {.compute_seconds = sealed - begin, .reduce_seconds = reduced - sealed};
  return sum_.outcome();
}

TrainingState HostReplica::state() const {
  const auto copy = [](std::span<const float> block) {
    return std::vector<float>(block.begin(), block.end());
  };
  return {step_, parameters_, copy(adam_.first_moment()), copy(adam_.second_moment())};
}

void HostReplica::restore(const TrainingState& state) {
  step_ = state.step;
  parameters_ = state.parameters;
  std::ranges::copy(state.first_moment, adam_.first_moment().begin());
  std::ranges::copy(state.second_moment, adam_.second_moment().begin());
  load_parameters();
}

/// The request, with what the step before took.
RankReport HostReplica::report(const StepRequest& request) const {
  RankReport result = last_step_;
  result.stop = request.stop;
  result.failure = request.failure;
  return result;
}

/// The gradients of this rank's shards, each worker's into a sum of its own: integers, so that it
/// does not matter which worker took which shard.
Tally HostReplica::add_gradients(std::uint64_t step) {
  std::vector<Tally> tallies(team_.size());
  team_.run([&](std::size_t worker) {
    sum_.clear(worker);
    const Range own = part(shards_.size(), team_.size(), worker);
    take_batches(std::span(shards_).subspan(own.begin, own.size()), step, [&](const Batch& batch) {
      tallies[worker] += engine_->add_gradient(batch, sum_.gradient(worker), worker);
    });
  });
  Tally total;
  for (const Tally& tally : tallies) total += tally;
  return total;
}

StepSeconds HostReplica::seconds() const {
  StepSeconds result = seconds_;
  const auto workers = static_cast<double>(team_.size());
  for (std::size_t worker = 0; worker < team_.size(); ++worker) {
    const EngineSeconds engine = engine_->seconds(worker);
    result.engine.forward += engine.forward / workers;
    result.engine.backward += engine.backward / workers;
    result.engine.gradient += engine.gradient / workers;
  }
  return result;
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
