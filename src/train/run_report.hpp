#pragma once

#include <optional>
#include <string>
#include <vector>

#include <lockstep/report/console.hpp>
#include <lockstep/train/run.hpp>

#include "job.hpp"
#include "journal.hpp"
#include "run_files.hpp"
#include "slow_rank.hpp"

namespace lockstep {

/// What there is to say of the test set at the end.
struct TestReport {
  Score score;
  const Samples* samples = nullptr;      // rank 0's part of the test set,
  std::size_t first = 0;                 // from this picture on,
  std::span<const float> probabilities;  // [samples][classes],
  std::size_t classes = 0;
  std::vector<std::uint64_t> confusion;  // and the counts [truth][prediction] over all parts
};

/// Rank 0's side of a run: the console, the metrics and the run folder.
class RunReport final : public Observer {
 public:
  /// Makes the run folder, if one is wanted, finds the checkpoint to go on from, if there is one,
  /// writes config.json and prints the first lines. Throws what RunFolder::create and find_start
  /// throw. `begun_at`: the step at which the run began, if it goes back now.
  RunReport(const RunConfig& config, const Job& job, std::optional<std::uint64_t> begun_at);
  /// Takes over after `step` from a rank 0 that has died; the journal has what its files may lack.
  RunReport(const RunConfig& config, const Job& job, std::uint64_t step, const Journal& journal);

  const std::optional<Checkpoint>& start() const noexcept { return start_; }

  void step(const StepRecord& record) override;
  void epoch(const EpochRecord& record, std::span<const float> parameters) override;
  void checkpoint(const Progress& progress, const TrainingState& state) override;

  /// The model, the pictures, the last lines and the summary, which marks the run as finished.
  /// Throws Error (store), after the last line, if model or summary could not be written.
  void finish(const Summary& summary, std::span<const float> parameters, const TestReport& test);
  /// The model as it is after the step at which the run was stopped; throws Error (store) if the
  /// checkpoint of that step could not be written.
  void stop(const Summary& summary, std::span<const float> parameters);
  /// By rank, as they are now: for lines about one of them.
  void name_ranks(std::vector<std::string> names) { names_ = std::move(names); }
  /// A line on the console, if there is anything to say.
  void note(const std::string& line);

 private:
  RunReport(const Job& job, const RunConfig& config);  // what both have in common
  void write_weights(const Summary& summary, std::span<const float> parameters);
  void save(const Summary& summary, std::span<const float> parameters, const TestReport& test);
  void draw(const TestReport& test);
  void replay(const Journal& journal, std::uint64_t step);

  const RunConfig& config_;
  ModelShape shape_;
  TrainingPlan plan_;
  Console console_;
  std::string title_;
  std::optional<Checkpoint> start_;
  std::optional<RunFiles> files_;
  std::vector<std::string> names_;
  SlowRankAlarm slow_ranks_;
  std::uint64_t first_step_ = 0;  // seen here, and when it began
  double begin_ = 0;
};

}  // namespace lockstep
