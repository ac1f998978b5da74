#pragma once

#include <filesystem>
#include <fstream>

#include <lockstep/report/records.hpp>

namespace lockstep {

/// Writes metrics.jsonl (an object a line, "kind": "step" | "epoch") and metrics.csv (the same rows
/// in columns, empty where a kind has no value) into a folder. Throws Error (store) when a write
/// fails.
class MetricsWriter {
 public:
  explicit MetricsWriter(const std::filesystem::path& folder);

  void add(const StepRecord& record);
  void add(const EpochRecord& record);
  /// What was added before is in the files when it returns.
  void flush();

 private:
  void check() const;

  std::filesystem::path folder_;
  std::ofstream jsonl_;
  std::ofstream csv_;
};

}  // namespace lockstep
