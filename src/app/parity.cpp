#include <algorithm>

#include <fmt/format.h>

#include <lockstep/train/stop.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "parity_check.hpp"

namespace lockstep {

namespace {

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
void train_on(std::size_t ranks, const RunConfig& config, Communicator& world) {
  if (world.size() > 1) {
    const auto group = world.first(ranks);
    return agree(world, [&] {
      if (group) run_training(config, *group);
    });
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
  ParityCheck check(shape);
  config.on_epoch = [&](std::size_t epoch, std::span<const float> parameters) {
    check.add(epoch, parameters);
  };
  for (std::size_t ranks : options.ranks) {
    on_first_rank(world, [&] { print(fmt::format("{}Ranks: {}\n", prefix, ranks)); });
    check.begin(ranks);
    train_on(ranks, config, world);
  }
  on_first_rank(world, [&] {
    if (check.difference().empty()) {
      return print(
          fmt::format("{}Parity: the same weights to the last bit on {} ranks, after every "
                      "epoch of {}\n",
                      prefix, fmt::join(options.ranks, ", "), config.recipe.epochs));
    }
    print(fmt::format("{}Parity: NOT the same weights: {}\n", prefix, check.difference()));
    throw Error(ExitCode::internal, "");  // said already; this gives all ranks the exit code
  });
}

}  // namespace lockstep
