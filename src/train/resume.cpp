#include "resume.hpp"

#include <span>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>

#include "checkpoint_folder.hpp"
#include "recipe_settings.hpp"
#include "state_broadcast.hpp"

namespace lockstep {
namespace {

constexpr const char* remedy = "or start anew with --resume never";

void check_recipe(const Checkpoint& checkpoint, const Job& job, const std::filesystem::path& path) {
  std::string difference = recipe_difference(checkpoint.recipe, job.settings(),
                                             checkpoint.state.step <= job.plan().total_steps());
  if (checkpoint.arithmetic != static_cast<std::uint64_t>(job.arithmetic())) {
    difference +=
        fmt::format("{}the arithmetic of --engine {} is {}, was {}", difference.empty() ? "" : "; ",
                    job.engine(), job.arithmetic(), checkpoint.arithmetic);
  }
  if (difference.empty()) return;
  throw Error(ExitCode::usage,
              fmt::format("can't go on from {} with options that change the weights: {}: give the "
                          "old values, {}",
                          path.string(), difference, remedy));
}

void check_data(const Checkpoint& checkpoint, const Job& job, const std::string& sha256,
                const std::filesystem::path& path) {
  if (checkpoint.data_sha256 == sha256 && checkpoint.shape == job.shape()) return;
  throw Error(
      ExitCode::data,
      fmt::format("can't go on from {}: the training data of {} (SHA-256 {:.12}...) are not "
                  "those it was trained on, of {} ({:.12}...): name those, {}",
                  path.string(), job.dataset().name(), sha256, checkpoint.data,
                  checkpoint.data_sha256, remedy));
}

struct Found {
  std::filesystem::path path;
  Checkpoint checkpoint;
};

std::optional<Found> newest_whole(const std::filesystem::path& run, Console& console) {
  for (const auto& path : CheckpointFolder(run, 1).newest_first()) {
    try {
      return Found{path, read_checkpoint(path)};
    } catch (const Error& error) {
      console.warning(fmt::format("a damaged checkpoint is left out: {}", error.what()));
    }
  }
  return {};
}

std::optional<Found> find(const RunConfig& config, std::optional<std::uint64_t> begun_at,
                          Console& console) {
  if (begun_at && !config.out.empty()) {
    auto own = newest_whole(config.out, console);
    if (own && own->checkpoint.state.step > *begun_at) return own;
  }
  if (config.resume == "never") return {};
  if (config.resume != "auto") return Found{config.resume, read_checkpoint(config.resume)};
  if (config.out.empty()) return {};
  return newest_whole(config.out, console);
}

/// The numbers of a start, as they are broadcast.
struct Numbers {
  std::uint64_t step = 0;
  std::uint64_t restarts = 0;
  double seconds = 0;
  double validation_loss = 0;
  double validation_accuracy = 0;
};

Numbers numbers_of(const Checkpoint& c) {
  return {c.state.step, c.restarts + 1, c.seconds, c.validation_loss, c.validation_accuracy};
}

}  // namespace

std::optional<Checkpoint> newest_checkpoint(const std::filesystem::path& run, Console& console) {
  auto found = newest_whole(run, console);
  if (!found) return {};
  return std::move(found->checkpoint);
}

std::optional<Checkpoint> find_start(const RunConfig& config, const Job& job,
                                     std::optional<std::uint64_t> begun_at, Console& console) {
  auto found = find(config, begun_at, console);
  if (!found) return {};
  check_recipe(found->checkpoint, job, found->path);
  check_data(found->checkpoint, job, job.data_agreement().training_sha256(), found->path);
  return std::move(found->checkpoint);
}

Progress share_start(const std::optional<Checkpoint>& start, Replica& replica,
                     Communicator& world) {
  Numbers numbers = start ? numbers_of(*start) : Numbers{};
  world.broadcast(std::as_writable_bytes(std::span(&numbers, 1)), 0);
  if (numbers.restarts == 0) return {};
  TrainingState state = start ? start->state : replica.state();
  state.step = numbers.step;
  broadcast_blocks(world, state, 0);
  replica.restore(state);
  Progress progress;
  progress.steps = numbers.step;
  progress.validation = {numbers.validation_loss, numbers.validation_accuracy};
  progress.seconds = numbers.seconds;
  progress.restarts = numbers.restarts;
  return progress;
}

}  // namespace lockstep
