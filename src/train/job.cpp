#include "job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <lockstep/comm/processor_share.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/core/host_name.hpp>

#include "device_proof.hpp"
#include "device_replica.hpp"
#include "recipe_settings.hpp"

namespace lockstep {

Job::Job(const RunConfig& config, Communicator& world, const TrainingState& from)
    : config_(config), recipe_(config.recipe), world_(world), schedule_(recipe_.schedule, 0) {
  share_out(from);
}

void Job::share_out(const TrainingState& from) {
  choose();
  agree(world_, [&] {
    if (!dataset_) open_data();
  });
  shape_.classes = data_agreement_->agree_on_sizes();
  agree(world_, [&] {
    check_sizes();
    load();
  });
  threads_ = config_.threads > 0 ? config_.threads : processor_share(world_);
  host_replica_ = nullptr;
  replica_.reset();
  make_reducer();
  agree(world_,
        [&] { make_replica(data_agreement_->past_is_doubtful() ? TrainingState() : from); });
}

void Job::open_data() {
  dataset_ = open_dataset(config_.data);
  data_agreement_ = std::make_unique<DataAgreement>(*dataset_, world_, host_name());
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
  pictures_.resize(shard_plan_.shards);
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
  owned_ = shard_plan_.owned(world_.rank(), world_.size());
  for (std::size_t shard = 0; shard < pictures_.size(); ++shard) {
    if (shard < owned_.begin || shard >= owned_.end) pictures_[shard].reset();
  }
  for (std::size_t shard = owned_.begin; shard < owned_.end; ++shard) {
    if (pictures_[shard]) continue;
    const std::size_t first = shard;
    while (shard + 1 < owned_.end && !pictures_[shard + 1]) ++shard;
    load_pictures({first, shard + 1});
  }
  if (!evaluator_) evaluator_ = std::make_unique<Evaluator>(world_);
  evaluator_->share_out(*dataset_, config_.evaluate, shape_.classes);
}

void Job::choose() {
  Machine machine;
  agree(world_, [&] {
    if (may_use_gpu(config_)) machine = this_machine();
  });
  device_ = choose_device(config_, machine, world_, device_);
}

/// Reads those of shards that lie side by side in one go.
void Job::load_pictures(Range shards) {
  auto pictures = std::make_shared<TrainingPictures>();
  pictures->first = shard_plan_.pictures(shards.begin).begin;
  pictures->samples = dataset_->training(
      pictures->first, shard_plan_.pictures(shards.end - 1).end - pictures->first);
  if (std::ranges::any_of(pictures->samples.labels,
                          [&](std::uint8_t label) { return label >= shape_.classes; })) {
    throw Error(ExitCode::data,
                fmt::format("{} changed while it was read; start the run again", dataset_->name()));
  }
  if (shards.begin == 0)
    image_style_ = describe_images(pictures->samples, shard_plan_.pictures(0).size());
  std::fill_n(pictures_.begin() + static_cast<std::ptrdiff_t>(shards.begin), shards.size(),
              std::move(pictures));
}

void Job::make_reducer() {
  agree(world_, [&] {
    if (device_->gpu) use_gpu(*device_->gpu);
  });
  if (!device_->nccl) {
    reducer_.reset();
  } else if (reducer_) {
    reducer_->renew(world_);
  } else {
    reducer_ = make_nccl_reducer(world_, {.gpu = device_->gpu_id});
  }
}

void Job::make_replica(const TrainingState& from) {
  const bool by_kernels = device_->gpu && config_.engine.name == "auto";
  team_ = std::make_unique<Team>(by_kernels ? 1 : std::min(threads_, owned_.size()));
  std::vector<float> parameters(parameter_count(shape_));
  initialise(shape_, recipe_.seed, recipe_.recurrent, parameters);
  if (by_kernels) {
    make_device_replica_of(parameters);
  } else {
    make_host_replica_of(std::move(parameters));
  }
  if (!from.parameters.empty()) replica_->restore(from);
}

void Job::make_device_replica_of(const std::vector<float>& parameters) {
  engine_ = "cuda";
  isa_ = fmt::format("sm_{}", device_->gpu_capability);
  const std::vector<LocalShard> shards = local_shards();
  if (!device_is_proven_) {
    prove_device(device_->gpu_name, shape_, gradient_limit(), parameters, shards.front(),
                 recipe_.adam, schedule_);
    device_is_proven_ = true;
  }
  replica_ = make_device_replica(shape_, gradient_limit(), parameters, shards, recipe_.batch_size,
                                 world_, reducer_.get(), recipe_.adam, schedule_);
}

void Job::make_host_replica_of(std::vector<float> parameters) {
  EngineConfig engine_config = config_.engine;
  engine_config.workers = team_->size();
  engine_config.gpu = device_->gpu;
  engine_config.limit = gradient_limit();
  auto engine = make_engine(engine_config, shape_);
  engine_ = engine->name();
  isa_ = engine->isa();
  auto replica = std::make_unique<HostReplica>(
      std::move(parameters), local_shards(), recipe_.batch_size, std::move(engine), world_, *team_,
      recipe_.adam, schedule_, device_->ranks_on_gpus > 0);
  host_replica_ = replica.get();
  replica_ = std::move(replica);
}

std::vector<LocalShard> Job::local_shards() const {
  std::vector<LocalShard> shards;
  for (std::size_t shard = owned_.begin; shard < owned_.end; ++shard) {
    shards.emplace_back(shard_plan_, shard, pictures_[shard]);
  }
  return shards;
}

/// What keeps the sum over all blocks of a step's samples from overflow.
float Job::gradient_limit() const {
  const std::uint64_t blocks =
      shard_plan_.shards * (recipe_.batch_size / shard_plan_.shards / 8 + 1);
  return std::min(config_.engine.limit, fixed_point_limit(blocks));
}

std::map<std::string, std::string> Job::settings() const {
  return recipe_settings(recipe_, shard_plan_.shards);
}

std::string Job::description() const {
  return fmt::format(
      "lockstep: {} over {}, {} each, engine {} ({}){}, {} shards, batch {}, "
      "{} training pictures of {}, {} units, seed {}",
      world_.size() == 1 ? "1 rank" : fmt::format("{} ranks", world_.size()), world_.description(),
      team_->size() == 1 ? "1 thread" : fmt::format("{} threads", team_->size()), engine_, isa_,
      describe(*device_, world_), shard_plan_.shards, recipe_.batch_size, dataset_->training_size(),
      dataset_->name(), shape_.hidden, recipe_.seed);
}

}  // namespace lockstep
