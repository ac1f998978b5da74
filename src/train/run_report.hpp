#pragma once

#include <optional>
#include <string>
#include <vector>

#include <lockstep/report/console.hpp>
#include <lockstep/report/metrics.hpp>
#include <lockstep/store/run_folder.hpp>
#include <lockstep/train/run.hpp>

#include "job.hpp"

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
  /// Makes the run folder, if one is wanted, writes config.json into it and prints the first line.
  RunReport(const RunConfig& config, const Job& job);

  void step(const StepRecord& record) override;
  void epoch(const EpochRecord& record, std::span<const float> parameters) override;

  /// The model, the pictures, the last lines and the summary, which marks the run as finished.
  void finish(const Summary& summary, std::span<const float> parameters, const TestReport& test);
  /// The model as it is after the step at which the run was stopped.
  void stop(const Summary& summary, std::span<const float> parameters);
  /// A line on the console, if there is anything to say.
  void note(const std::string& line);

 private:
  void write_weights(const Summary& summary, std::span<const float> parameters);
  void draw(const TestReport& test);

  const RunConfig& config_;
  ModelShape shape_;
  TrainingPlan plan_;
  Console console_;
  std::string title_;
  std::optional<RunFolder> folder_;
  std::optional<MetricsWriter> metrics_;
  double begin_ = 0;
};

}  // namespace lockstep
