#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/comm/session.hpp>
#include <lockstep/data/dataset.hpp>
#include <lockstep/model/engine.hpp>
#include <lockstep/model/initialiser.hpp>
#include <lockstep/optim/adam.hpp>
#include <lockstep/optim/schedule.hpp>
#include <lockstep/report/console.hpp>
#include <lockstep/store/run_folder.hpp>
#include <lockstep/train/fault.hpp>

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

struct CheckpointConfig {
  std::size_t every = 0;  // steps; 0: only at the epochs' ends, where there is always one
  std::size_t keep = 3;   // how many of the newest, beside the best
};

/// The run's other settings: none of them changes a bit.
struct RunConfig {
  Recipe recipe;
  DataConfig data;
  CommConfig comm;              // how the ranks talk, and sum what lies on GPUs
  std::string device = "auto";  // auto | cpu | cuda; auto: a GPU where there is one for the rank
  EngineConfig engine;          // its workers are set by the run
  std::size_t threads = 0;      // of this rank; 0: the processors of its binding
  EvaluateOn evaluate = EvaluateOn::rank0;
  std::filesystem::path out;  // the run folder; empty: nothing is written
  CheckpointConfig checkpoints;
  /// "auto": from the newest whole checkpoint in the run folder, if there is one; "never": from the
  /// first step, without the run folder's checkpoints; else from this file.
  std::string resume = "auto";
  std::string config_json;    // the echo of all options, written as config.json
  double hang_timeout = 0;    // seconds after which a rank that does not move is ended; 0: never
  std::vector<Fault> faults;  // to be rehearsed
  ConsoleConfig console;
  /// Called on rank 0 after every epoch with the parameters, if set.
  std::function<void(std::size_t epoch, std::span<const float> parameters)> on_epoch;
};

/// Trains from the first step, or from a checkpoint, to the last on all ranks of `world` and
/// returns what it came to (the same on every rank). Collective. Rank 0 prints, writes the run
/// folder and, by default, evaluates. A run folder that can't be used is Error (store) at the
/// start; what can't be written later is a warning, unless at the end there is no model and
/// summary: that is Error (store) too. A request to stop (see stop_requested) ends all ranks after
/// the same step with Error (stopped), a checkpoint and a model written.
Summary run_training(const RunConfig& config, Communicator& world);

}  // namespace lockstep
