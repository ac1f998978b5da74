#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include <lockstep/report/records.hpp>

namespace lockstep {

struct MetricRow;

/// Writes metrics.jsonl (an object a line, "kind": "step" | "epoch") and metrics.csv (the same rows
/// in columns, empty where a kind has no value) into a folder. A failed write is Error (store), and
/// loses nothing: the rows wait for the next one (64 MiB of them), and the files hold whole rows.
class MetricsWriter {
 public:
  /// Goes on behind the rows of metrics.jsonl of the steps up to `step`; later ones are removed.
  /// metrics.csv is made anew from them. Rows that are kept are not added again.
  explicit MetricsWriter(const std::filesystem::path& folder, std::uint64_t step = 0);
  ~MetricsWriter();

  void add(const StepRecord& record);
  void add(const EpochRecord& record);
  /// What was added before is in the files when it returns.
  void flush();

 private:
  void add(const MetricRow& row);

  std::filesystem::path folder_;
  std::optional<std::uint64_t> kept_step_;  // of the last row of each kind that was there
  std::optional<std::uint64_t> kept_epoch_;
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace lockstep
