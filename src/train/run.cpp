#include <lockstep/train/run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <lockstep/core/error.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/data/shards.hpp>
#include <lockstep/train/model_file.hpp>

#include "host_replica.hpp"
#include "run_report.hpp"
#include "trainer.hpp"

namespace lockstep {
namespace {

/// A run's parts, in the order in which they are made.
class Run {
 public:
  Run(const RunConfig& config, Communicator& world);
  Summary run();

 private:
  void open_data();
  void check_sizes() const;
  void load();
  void make_replica();
  std::string header() const;
  Summary summary(const Progress& progress) const;
  TestReport test_report(std::vector<float>& probabilities);
  void count_confusion(TestReport& test);

  const RunConfig& config_;
  const Recipe& recipe_;
  Communicator& world_;
  std::unique_ptr<Dataset> dataset_;
  ModelShape shape_;
  ShardPlan shard_plan_;
  TrainingPlan plan_;
  std::unique_ptr<Evaluator> evaluator_;
  std::vector<LocalShard> shards_;
  std::unique_ptr<Team> team_;
  std::string engine_name_;
  std::string isa_;
  std::unique_ptr<Replica> replica_;
  std::unique_ptr<Observer> silent_ = std::make_unique<Observer>();
  std::unique_ptr<RunReport> report_;  // on rank 0
};

Run::Run(const RunConfig& config, Communicator& world)
    : config_(config), recipe_(config.recipe), world_(world) {
  agree(world_, [&] { open_data(); });
  world_.broadcast(std::as_writable_bytes(std::span(&shape_.classes, 1)), 0);
  agree(world_, [&] { load(); });
  agree(world_, [&] { make_replica(); });
  agree(world_, [&] {
    if (world_.rank() != 0) return;
    report_ = std::make_unique<RunReport>(config_, plan_, dataset_->synthetic());
    report_->header(header());
  });
}

void Run::open_data() {
  dataset_ = open_dataset(config_.data);
  shape_.rows = dataset_->rows();
  shape_.columns = dataset_->columns();
  shape_.hidden = recipe_.hidden;
  shard_plan_.samples = dataset_->training_size();
  shard_plan_.batch_size = recipe_.batch_size;
  shard_plan_.seed = recipe_.seed;
  shard_plan_.shards =
      recipe_.shards > 0 ? recipe_.shards : std::max<std::size_t>(recipe_.batch_size / 8, 1);
  plan_ = {recipe_.epochs, dataset_->training_size() / recipe_.batch_size, recipe_.batch_size};
  check_sizes();
  if (world_.rank() == 0) shape_.classes = dataset_->classes();
}

void Run::check_sizes() const {
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

void Run::load() {
  const Range owned = shard_plan_.owned(world_.rank(), world_.size());
  for (std::size_t shard = owned.begin; shard < owned.end; ++shard) {
    shards_.emplace_back(shard_plan_, shard, *dataset_);
    if (std::ranges::any_of(shards_.back().labels(),
                            [&](std::uint8_t label) { return label >= shape_.classes; })) {
      throw Error(ExitCode::data, fmt::format("{} changed while it was read; start the run again",
                                              dataset_->name()));
    }
  }
  evaluator_ = std::make_unique<Evaluator>(*dataset_, config_.evaluate, world_);
}

void Run::make_replica() {
  const std::size_t threads = config_.threads > 0 ? config_.threads : usable_processors();
  team_ = std::make_unique<Team>(std::min(threads, shards_.size()));
  EngineConfig engine_config = config_.engine;
  engine_config.workers = team_->size();
  const std::uint64_t blocks =
      shard_plan_.shards * (recipe_.batch_size / shard_plan_.shards / 8 + 1);
  engine_config.limit = std::min(engine_config.limit, fixed_point_limit(blocks));
  auto engine = make_engine(engine_config, shape_);
  engine_name_ = engine->name();
  isa_ = engine->isa();
  std::vector<float> parameters(parameter_count(shape_));
  initialise(shape_, recipe_.seed, recipe_.recurrent, parameters);
  replica_ = std::make_unique<HostReplica>(
      std::move(parameters), std::move(shards_), recipe_.batch_size, std::move(engine), world_,
      *team_, recipe_.adam, Schedule(recipe_.schedule, plan_.total_steps()));
}

std::string Run::header() const {
  return fmt::format(
      "lockstep: {} over {}, {} each, engine {} ({}), {} shards, batch {}, {} training pictures of "
      "{}, {} units, seed {}",
      world_.size() == 1 ? "1 rank" : fmt::format("{} ranks", world_.size()), world_.description(),
      team_->size() == 1 ? "1 thread" : fmt::format("{} threads", team_->size()), engine_name_,
      isa_, shard_plan_.shards, recipe_.batch_size, dataset_->training_size(), dataset_->name(),
      shape_.hidden, recipe_.seed);
}

Summary Run::summary(const Progress& progress) const {
  Summary s;
  s.validation_loss = progress.validation.loss;
  s.validation_accuracy = progress.validation.accuracy;
  s.weights_sha256 = weights_sha256(replica_->parameters());
  s.steps = progress.steps;
  s.world_size = world_.size();
  s.seconds = progress.seconds;
  s.samples_per_second =
      static_cast<double>(progress.steps * recipe_.batch_size) / std::max(progress.seconds, 1e-9);
  s.arithmetic = engine_name_ == "torch" ? 0 : arithmetic_number;
  s.engine = engine_name_;
  s.isa = isa_;
  s.communicator = world_.description();
  s.data = dataset_->name();
  s.synthetic = dataset_->synthetic();
  return s;
}

TestReport Run::test_report(std::vector<float>& probabilities) {
  TestReport test;
  test.classes = shape_.classes;
  test.score = evaluator_->test(*replica_, probabilities, shape_.classes);
  test.samples = &evaluator_->test_part();
  test.first = evaluator_->test_first();
  test.probabilities = probabilities;
  count_confusion(test);
  return test;
}

void Run::count_confusion(TestReport& test) {
  const std::size_t classes = test.classes;
  std::vector<std::int64_t> counts(classes * classes);
  for (std::size_t i = 0; i < test.samples->size(); ++i) {
    const auto row = test.probabilities.subspan(i * classes, classes);
    const auto predicted = std::ranges::max_element(row) - row.begin();
    ++counts[test.samples->labels[i] * classes + static_cast<std::size_t>(predicted)];
  }
  world_.all_reduce(counts);
  test.confusion.assign(counts.begin(), counts.end());
}

Summary Run::run() {
  Observer& observer = report_ ? static_cast<Observer&>(*report_) : *silent_;
  const Schedule schedule(recipe_.schedule, plan_.total_steps());
  const Progress progress =
      Trainer(plan_, schedule, *replica_, *evaluator_, world_, observer).run();
  Summary result = summary(progress);
  if (progress.stopped) {
    agree(world_, [&] {
      if (report_) report_->stop(result, shape_, replica_->parameters(), plan_.total_steps());
    });
    throw Error(ExitCode::stopped, "");
  }
  std::vector<float> probabilities;
  const TestReport test = test_report(probabilities);
  result.test_loss = test.score.loss;
  result.test_accuracy = test.score.accuracy;
  agree(world_, [&] {
    if (report_) report_->finish(result, shape_, replica_->parameters(), test);
  });
  return result;
}

}  // namespace

Summary run_training(const RunConfig& config, Communicator& world) {
  return Run(config, world).run();
}

}  // namespace lockstep
