#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <lockstep/report/records.hpp>

namespace lockstep {

extern const char* const csv_header;  // a line

/// A record as a line of each of the two files.
struct MetricRow {
  std::uint64_t step = 0;
  std::string json;
  std::string csv;
  bool epoch = false;  // of an epoch's end
};

MetricRow to_row(const StepRecord& record);
MetricRow to_row(const EpochRecord& record);
/// The row that this line of metrics.jsonl is of; nothing if it is of none.
std::optional<MetricRow> parse_row(std::string_view json_line);

}  // namespace lockstep
