#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <lockstep/report/console.hpp>
#include <lockstep/report/metrics.hpp>
#include <lockstep/store/run_folder.hpp>
#include <lockstep/train/checkpoint.hpp>

#include "background.hpp"
#include "checkpoint_folder.hpp"
#include "job.hpp"

namespace lockstep {

/// The files of a run as it goes: metrics and checkpoints. What can't be written while training
/// goes on is a warning, once for each kind of failure, and is tried again.
class RunFiles {
 public:
  /// Goes on behind the rows of the steps up to `step` and behind the checkpoint `newest`, if there
  /// is one. Throws Error (store) where the folder is of no use.
  RunFiles(const RunConfig& config, RunFolder folder, const Job& job, std::uint64_t step,
           const std::optional<Checkpoint>& newest, Console& console);

  const std::optional<ImageStyle>& image_style() const noexcept { return job_.image_style(); }
  const RunFolder& folder() const noexcept { return folder_; }

  /// At every Journal::flush_interval-th step, the files hold all records when it returns.
  void step(const StepRecord& record);
  void epoch(const EpochRecord& record);
  /// Copies what goes into the checkpoint; a thread writes it, after the metrics before it are
  /// safe.
  void checkpoint(const Progress& progress, const TrainingState& state);
  /// Does `work` and makes a failure to store a warning; `what` is not saved then.
  void attempt(const std::string& what, const std::function<void()>& work);

  /// Waits until everything before is on disk, or warned of.
  void settle();
  /// Throws Error (store) unless the checkpoint of this step is on disk. After settle().
  void require_checkpoint(std::uint64_t step) const;

 private:
  Checkpoint describe(const Progress& progress, const TrainingState& state) const;
  void save(Checkpoint checkpoint);
  void warn(const std::string& what, const std::exception_ptr& failure);

  const RunConfig& config_;
  RunFolder folder_;
  const Job& job_;
  Console& console_;
  CheckpointFolder checkpoints_;
  MetricsWriter metrics_;
  std::set<std::string> warned_;
  std::string last_failure_;

  // Of the thread that writes:
  std::uint64_t best_step_ = 0;
  double best_loss_ = 0;
  std::atomic<std::uint64_t> saved_step_ = 0;
  Background background_;  // last: it uses the others
};

}  // namespace lockstep
