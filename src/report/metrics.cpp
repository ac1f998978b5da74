#include <lockstep/report/metrics.hpp>

#include <fmt/format.h>

#include <string_view>

#include <lockstep/core/error.hpp>

#include "metric_rows.hpp"
#include "row_file.hpp"

namespace lockstep {
namespace {

constexpr const char* jsonl_name = "metrics.jsonl";
constexpr const char* csv_name = "metrics.csv";

}  // namespace

struct MetricsWriter::Files {
  RowFile csv;
  RowFile jsonl;
};

MetricsWriter::MetricsWriter(const std::filesystem::path& folder, std::uint64_t step)
    : folder_(folder) {
  RowFile csv(folder / csv_name, csv_header);
  const auto keep = [&](std::string_view line) {
    const auto row = parse_row(line);
    if (!row || row->step > step) return false;
    csv.add(row->csv);
    (row->epoch ? kept_epoch_ : kept_step_) = row->step;
    return true;
  };
  RowFile jsonl(folder / jsonl_name, keep);
  files_.reset(new Files{std::move(csv), std::move(jsonl)});
  flush();
}

MetricsWriter::~MetricsWriter() = default;

void MetricsWriter::add(const StepRecord& record) {
  if (record.step > kept_step_) add(to_row(record));
}

void MetricsWriter::add(const EpochRecord& record) {
  if (record.step > kept_epoch_) add(to_row(record));
}

void MetricsWriter::add(const MetricRow& row) {
  files_->jsonl.add(row.json);
  files_->csv.add(row.csv);
  if (files_->jsonl.full() || files_->csv.full()) flush();
}

void MetricsWriter::flush() {
  const bool jsonl = files_->jsonl.flush();
  const bool csv = files_->csv.flush();
  if (jsonl && csv) return;
  throw Error(ExitCode::store,
              fmt::format("can't write {} in {}: free some space or choose another --out",
                          jsonl ? csv_name : jsonl_name, folder_.string()));
}

}  // namespace lockstep
