#include <algorithm>

#include <fmt/format.h>

#include <lockstep/core/team.hpp>
#include <lockstep/train/stop.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "weight_difference.hpp"

namespace lockstep {

namespace {

/// The weights after each epoch of the first run, and where a later run first left them.
class Comparison {
 public:
  explicit Comparison(const ModelShape& shape) : shape_(shape) {}

  void begin(std::size_t ranks) { ranks_ = ranks; }

  void add(std::size_t epoch, std::span<const float> parameters) {
    if (first_ranks_ == 0) first_ranks_ = ranks_;
    if (ranks_ == first_ranks_) {
      epochs_.emplace_back(parameters.begin(), parameters.end());
      return;
    }
    if (!verdict_.empty()) return;
    if (const auto furthest = compare_weights(shape_, epochs_.at(epoch - 1), parameters)) {
      verdict_ = fmt::format("{} ranks differ from {} from epoch {} on, at most by {} ULP, in {}",
                             ranks_, first_ranks_, epoch, furthest->ulp, furthest->tensor);
    }
  }

  /// Empty if all runs had the same weights.
  const std::string& verdict() const { return verdict_; }

 private:
  ModelShape shape_;
  std::size_t ranks_ = 0;
  std::size_t first_ranks_ = 0;
  std::vector<std::vector<float>> epochs_;
  std::string verdict_;
};

void check_ranks(const Options& options, const Communicator& world) {
  const std::size_t most = std::ranges::max(options.ranks);
  if (most > options.run.recipe.shards) {
    throw Error(ExitCode::usage, fmt::format("--ranks {}: must be at most --shards, {}", most,
                                             options.run.recipe.shards));
  }
  if (world.size() > 1 && most > world.size()) {
    throw Error(ExitCode::usage, fmt::format("--ranks {}: only {} were started; use mpirun -n {}",
                                             most, world.size(), most));
  }
}

/// Alone, the ranks are threads of this process, and share its processors.
void train_on(std::size_t ranks, RunConfig config, Communicator& world) {
  if (world.size() > 1) {
    const auto group = world.first(ranks);
    return agree(world, [&] {
      if (group) run_training(config, *group);
    });
  }
  if (config.threads == 0) {
    config.threads = std::max<std::size_t>(1, usable_processors() / ranks);
  }
  run_on_threads(ranks, [&](Communicator& group) { run_training(config, group); });
}

}  // namespace

void run_parity(const Options& options, Communicator& world) {
  agree(world, [&] { check_ranks(options, world); });
  RunConfig config = options.run;
  config.console.quiet = true;
  ModelShape shape;
  std::string prefix;
  on_first_rank(world, [&] {
    const auto data = open_dataset(config.data);
    shape = {data->rows(), data->columns(), config.recipe.hidden, data->classes()};
    prefix = data->synthetic() ? "[synthetic] " : "";
  });
  catch_stop_signals();
  stop_when_output_closes();
  Comparison comparison(shape);
  config.on_epoch = [&](std::size_t epoch, std::span<const float> parameters) {
    comparison.add(epoch, parameters);
  };
  for (std::size_t ranks : options.ranks) {
    on_first_rank(world, [&] { print(fmt::format("{}Ranks: {}\n", prefix, ranks)); });
    comparison.begin(ranks);
    train_on(ranks, config, world);
  }
  on_first_rank(world, [&] {
    if (comparison.verdict().empty()) {
      return print(
          fmt::format("{}Parity: the same weights to the last bit on {} ranks, after every "
                      "epoch of {}\n",
                      prefix, fmt::join(options.ranks, ", "), config.recipe.epochs));
    }
    print(fmt::format("{}Parity: NOT the same weights: {}\n", prefix, comparison.verdict()));
    throw Error(ExitCode::internal, "");  // said already; this gives all ranks the exit code
  });
}

}  // namespace lockstep
