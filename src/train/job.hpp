#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/comm/device_reducer.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/data/image_style.hpp>
#include <lockstep/data/shards.hpp>
#include <lockstep/train/run.hpp>

#include "data_agreement.hpp"
#include "device_choice.hpp"
#include "evaluator.hpp"
#include "host_replica.hpp"
#include "trainer.hpp"

namespace lockstep {

/// A rank's part of a training, loaded and ready for a step: the data set's sizes, the shards, the
/// pictures to evaluate on, the threads and the replica. Made by all ranks together; a failure on
/// one is everyone's.
class Job {
 public:
  /// `from` as for share_out.
  Job(const RunConfig& config, Communicator& world, const TrainingState& from = {});

  /// Gives this rank its part among the ranks of `world` as they are now, keeping the pictures that
  /// it has, and a replica that stands at `from` (without parameters, or where the data agreement
  /// says that the past is doubtful: at the start). Collective, and the same calls as the
  /// constructor's.
  void share_out(const TrainingState& from);

  const Dataset& dataset() const noexcept { return *dataset_; }
  DataAgreement& data_agreement() const noexcept { return *data_agreement_; }
  const ModelShape& shape() const noexcept { return shape_; }
  const ShardPlan& shard_plan() const noexcept { return shard_plan_; }
  const TrainingPlan& plan() const noexcept { return plan_; }
  const Schedule& schedule() const noexcept { return schedule_; }
  /// What decides the weights' bits, see recipe_settings().
  std::map<std::string, std::string> settings() const;
  int arithmetic() const noexcept { return engine_ == "torch" ? 0 : arithmetic_number; }
  /// How the images of shard 0 look: rank 0's, and the same for any number of ranks.
  const std::optional<ImageStyle>& image_style() const noexcept { return image_style_; }
  const Evaluator& evaluator() const noexcept { return *evaluator_; }
  Replica& replica() noexcept { return *replica_; }
  /// The same, or null where it is a GPU's.
  HostReplica* host_replica() noexcept { return host_replica_; }
  bool all_on_gpus() const noexcept { return device_->ranks_on_gpus == world_.size(); }
  Team& team() noexcept { return *team_; }
  const std::string& engine() const noexcept { return engine_; }
  const std::string& isa() const noexcept { return isa_; }

  /// What runs here, in one line.
  std::string description() const;

 private:
  void open_data();
  void check_sizes() const;
  void choose();
  void load();
  void load_pictures(Range shards);
  void make_reducer();
  void make_replica(const TrainingState& from);
  void make_device_replica_of(const std::vector<float>& parameters);
  void make_host_replica_of(std::vector<float> parameters);
  std::vector<LocalShard> local_shards() const;
  float gradient_limit() const;

  const RunConfig& config_;
  const Recipe& recipe_;
  Communicator& world_;
  std::unique_ptr<Dataset> dataset_;
  std::unique_ptr<DataAgreement> data_agreement_;
  ModelShape shape_;
  ShardPlan shard_plan_;
  TrainingPlan plan_;
  Schedule schedule_;
  std::unique_ptr<Evaluator> evaluator_;
  /// By shard, null where it is another rank's; those read in one go share a block.
  std::vector<std::shared_ptr<const TrainingPictures>> pictures_;
  Range owned_;
  std::optional<ImageStyle> image_style_;
  std::optional<DeviceChoice> device_;
  bool device_is_proven_ = false;  // a GPU, see prove_device
  std::size_t threads_ = 1;
  std::unique_ptr<Team> team_;
  std::string engine_;
  std::string isa_;
  std::unique_ptr<DeviceReducer> reducer_;  // where the ranks' GPUs sum by themselves
  std::unique_ptr<Replica> replica_;
  HostReplica* host_replica_ = nullptr;
};

}  // namespace lockstep
