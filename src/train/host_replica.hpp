#pragma once

#include <memory>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/optim/adam.hpp>
#include <lockstep/optim/schedule.hpp>

#include "gradient_sum.hpp"
#include "local_shard.hpp"
#include "replica.hpp"

namespace lockstep {

/// The replica in the host's memory: an engine, a communicator and Adam put together.
class HostReplica final : public Replica {
 public:
  /// `batch_size` is the global one; `shards` are those that this rank owns; `with_gpus`: another
  /// rank's replica is on a GPU.
  HostReplica(std::vector<float> parameters, std::vector<LocalShard> shards, std::size_t batch_size,
              std::unique_ptr<Engine> engine, Communicator& communicator, Team& team,
              const AdamConfig& adam, const Schedule& schedule, bool with_gpus = false);

  StepOutcome step(std::uint64_t step, const StepRequest& request) override;
  Tally tally(std::uint64_t step) override;
  Tally evaluate(const Batch& batch, std::span<float> probabilities) override;
  std::span<const float> parameters() const override { return parameters_; }
  TrainingState state() const override;
  void restore(const TrainingState& state) override;
  RankReport last_step() const override { return last_step_; }

  StepSeconds seconds() const;
  /// Those that this rank owns.
  std::span<LocalShard> shards() noexcept { return shards_; }

 private:
  Tally add_gradients(std::uint64_t step);
  void load_parameters();
  RankReport report(const StepRequest& request) const;

  std::uint64_t step_ = 0;  // the last one taken
  std::vector<float> parameters_;
  std::vector<LocalShard> shards_;
  std::size_t batch_size_;
  std::size_t own_samples_ = 0;
  std::unique_ptr<Engine> engine_;
  Communicator& communicator_;
  Team& team_;
  Adam adam_;
  Schedule schedule_;
  GradientSum sum_;
  std::uint64_t fingerprint_ = 0;
  RankReport last_step_;
  StepSeconds seconds_;
};

}  // namespace lockstep
