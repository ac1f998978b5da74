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
  void flush();

 private:
  void check(const std::ofstream& file, const char* name) const;

  std::filesystem::path folder_;
  std::ofstream jsonl_;
  std::ofstream csv_;
};

}  // namespace lockstep
