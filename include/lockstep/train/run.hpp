#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/data/dataset.hpp>
#include <lockstep/model/engine.hpp>
#include <lockstep/model/initialiser.hpp>
#include <lockstep/optim/adam.hpp>
#include <lockstep/optim/schedule.hpp>
#include <lockstep/report/console.hpp>
#include <lockstep/store/run_folder.hpp>

namespace lockstep {

enum class EvaluateOn { rank0, all };

/// What decides the weights' bits, with the data: all of it goes into config.json.
struct Recipe {
  std::size_t hidden = 128;
  std::size_t epochs = 10;
  std::size_t batch_size = 128;
  std::size_t shards = 0;  // 0: batch_size / 8, at least 1
  std::uint64_t seed = 1;
  RecurrentInit recurrent = RecurrentInit::glorot;
  ScheduleConfig schedule;
  AdamConfig adam;
};

/// The run's other settings: none of them changes a bit.
struct RunConfig {
  Recipe recipe;
  DataConfig data;
  EngineConfig engine;      // its workers are set by the run
  std::size_t threads = 0;  // of this rank; 0: the processors of its binding
  EvaluateOn evaluate = EvaluateOn::rank0;
  std::filesystem::path out;  // the run folder; empty: nothing is written
  std::string config_json;    // the echo of all options, written as config.json
  ConsoleConfig console;
  /// Called on rank 0 after every epoch with the parameters, if set.
  std::function<void(std::size_t epoch, std::span<const float> parameters)> on_epoch;
};

/// Trains from the first step to the last on all ranks of `world` and returns what it came to (the
/// same on every rank). Collective. Rank 0 prints, writes the run folder and, by default,
/// evaluates. A request to stop (see stop_requested) ends all ranks after the same step with a
/// whole model written; then `Summary` is of that step and Error (stopped) is thrown.
Summary run_training(const RunConfig& config, Communicator& world);

}  // namespace lockstep
