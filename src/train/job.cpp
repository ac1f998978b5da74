#include "job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <lockstep/comm/processor_share.hpp>
#include <lockstep/core/error.hpp>

#include "recipe_settings.hpp"

namespace lockstep {

Job::Job(const RunConfig& config, Communicator& world)
    : config_(config), recipe_(config.recipe), world_(world), schedule_(recipe_.schedule, 0) {
  agree(world_, [&] { open_data(); });
  world_.broadcast(std::as_writable_bytes(std::span(&shape_.classes, 1)), 0);
  agree(world_, [&] { load(); });
  threads_ = config_.threads > 0 ? config_.threads : processor_share(world_);
  agree(world_, [&] { make_replica(); });
}

void Job::open_data() {
  dataset_ = open_dataset(config_.data);
  shape_.rows = dataset_->rows();
  shape_.columns = dataset_->columns();
  shape_.hidden = recipe_.hidden;
  shard_plan_.samples = dataset_->training_size();
  shard_plan_.batch_size = recipe_.batch_size;
  shard_plan_.seed = recipe_.seed;
  shard_plan_.shards =
      recipe_.shards > 0 ? recipe_.shards : std::max<std::size_t>(recipe_.batch_size / 8, 1);
  plan_ = {recipe_.epochs, dataset_->training_size() / recipe_.batch_size, recipe_.batch_size,
           config_.checkpoints.every};
  schedule_ = Schedule(recipe_.schedule, plan_.total_steps());
  check_sizes();
  if (world_.rank() == 0) shape_.classes = dataset_->classes();
}

void Job::check_sizes() const {
  if (plan_.steps_per_epoch == 0) {
    throw Error(ExitCode::usage,
                fmt::format("a batch of {} needs more than the {} training pictures of {}; lower "
                            "--batch-size",
                            recipe_.batch_size, dataset_->training_size(), dataset_->name()));
  }
  if (shard_plan_.shards > recipe_.batch_size) {
    throw Error(ExitCode::usage,
                fmt::format("{} shards can't share a batch of {}; lower --shards or raise "
                            "--batch-size",
                            shard_plan_.shards, recipe_.batch_size));
  }
  if (world_.size() > shard_plan_.shards) {
    throw Error(
        ExitCode::usage,
        fmt::format("{} ranks are more than the {} shards; start at most {} ranks, or raise "
                    "--shards (which changes the weights)",
                    world_.size(), shard_plan_.shards, shard_plan_.shards));
  }
}

void Job::load() {
  const Range owned = shard_plan_.owned(world_.rank(), world_.size());
  auto pictures = std::make_shared<TrainingPictures>();
  pictures->first = shard_plan_.pictures(owned.begin).begin;
  pictures->samples = dataset_->training(pictures->first,
                                         shard_plan_.pictures(owned.end - 1).end - pictures->first);
  if (std::ranges::any_of(pictures->samples.labels,
                          [&](std::uint8_t label) { return label >= shape_.classes; })) {
    throw Error(ExitCode::data,
                fmt::format("{} changed while it was read; start the run again", dataset_->name()));
  }
  for (std::size_t shard = owned.begin; shard < owned.end; ++shard) {
    shards_.emplace_back(shard_plan_, shard, pictures);
  }
  evaluator_ = std::make_unique<Evaluator>(*dataset_, config_.evaluate, world_);
}

void Job::make_replica() {
  team_ = std::make_unique<Team>(std::min(threads_, shards_.size()));
  EngineConfig engine_config = config_.engine;
  engine_config.workers = team_->size();
  const std::uint64_t blocks =
      shard_plan_.shards * (recipe_.batch_size / shard_plan_.shards / 8 + 1);
  engine_config.limit = std::min(engine_config.limit, fixed_point_limit(blocks));
  auto engine = make_engine(engine_config, shape_);
  engine_ = engine->name();
  isa_ = engine->isa();
  std::vector<float> parameters(parameter_count(shape_));
  initialise(shape_, recipe_.seed, recipe_.recurrent, parameters);
  replica_ =
      std::make_unique<HostReplica>(std::move(parameters), std::move(shards_), recipe_.batch_size,
                                    std::move(engine), world_, *team_, recipe_.adam, schedule_);
}

std::map<std::string, std::string> Job::settings() const {
  return recipe_settings(recipe_, shard_plan_.shards);
}

std::string Job::description() const {
  return fmt::format(
      "lockstep: {} over {}, {} each, engine {} ({}), {} shards, batch {}, {} training pictures of "
      "{}, {} units, seed {}",
      world_.size() == 1 ? "1 rank" : fmt::format("{} ranks", world_.size()), world_.description(),
      team_->size() == 1 ? "1 thread" : fmt::format("{} threads", team_->size()), engine_, isa_,
      shard_plan_.shards, recipe_.batch_size, dataset_->training_size(), dataset_->name(),
      shape_.hidden, recipe_.seed);
}

}  // namespace lockstep
