#include <lockstep/report/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <lockstep/core/error.hpp>

#include "row_file.hpp"

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* jsonl_name = "metrics.jsonl";
constexpr const char* csv_name = "metrics.csv";
constexpr const char* csv_header =
    "kind,step,epoch,loss,accuracy,rate,seconds,compute_seconds,wait_seconds,reduce_seconds,"
    "max_compute_seconds,max_wait_seconds,max_reduce_seconds,validation_loss,validation_accuracy\n";

/// The shortest text that reads back as the same number.
std::string cell(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

std::vector<double> by_rank(const StepRecord& record, double RankSeconds::*part) {
  std::vector<double> seconds;
  for (const RankSeconds& rank : record.ranks) seconds.push_back(rank.*part);
  return seconds;
}

double largest(const StepRecord& record, double RankSeconds::*part) {
  const std::vector<double> seconds = by_rank(record, part);
  return seconds.empty() ? 0 : *std::max_element(seconds.begin(), seconds.end());
}

Json to_json(const StepRecord& record) {
  return {{"kind", "step"},
          {"step", record.step},
          {"epoch", record.epoch},
          {"loss", record.loss},
          {"accuracy", record.accuracy},
          {"rate", record.rate},
          {"seconds", record.seconds},
          {"compute_seconds", by_rank(record, &RankSeconds::compute)},
          {"wait_seconds", by_rank(record, &RankSeconds::wait)},
          {"reduce_seconds", by_rank(record, &RankSeconds::reduce)}};
}

Json to_json(const EpochRecord& record) {
  return {{"kind", "epoch"},
          {"step", record.step},
          {"epoch", record.epoch},
          {"loss", record.train_loss},
          {"accuracy", record.train_accuracy},
          {"seconds", record.seconds},
          {"validation_loss", record.validation_loss},
          {"validation_accuracy", record.validation_accuracy}};
}

std::string to_csv(const StepRecord& record) {
  const RankSeconds first = record.ranks.empty() ? RankSeconds{} : record.ranks.front();
  return fmt::format("step,{},{},{},{},{},{},{},{},{},{},{},{},,\n", record.step,
                     cell(record.epoch), cell(record.loss), cell(record.accuracy),
                     cell(record.rate), cell(record.seconds), cell(first.compute), cell(first.wait),
                     cell(first.reduce), cell(largest(record, &RankSeconds::compute)),
                     cell(largest(record, &RankSeconds::wait)),
                     cell(largest(record, &RankSeconds::reduce)));
}

std::string to_csv(const EpochRecord& record) {
  return fmt::format("epoch,{},{},{},{},,{},,,,,,,{},{}\n", record.step, record.epoch,
                     cell(record.train_loss), cell(record.train_accuracy), cell(record.seconds),
                     cell(record.validation_loss), cell(record.validation_accuracy));
}

std::optional<std::uint64_t> step_of_json(std::string_view line) {
  const Json row = Json::parse(line, nullptr, false);
  if (!row.is_object() || !row.contains("step") || !row["step"].is_number_unsigned()) return {};
  return row["step"].get<std::uint64_t>();
}

std::optional<std::uint64_t> step_of_csv(std::string_view line) {
  const std::size_t begin = line.find(',') + 1;
  std::uint64_t step = 0;
  const auto [end, error] = std::from_chars(line.data() + begin, line.data() + line.size(), step);
  if (begin == 0 || error != std::errc{} || end == line.data() + line.size() || *end != ',') {
    return {};
  }
  return step;
}

}  // namespace

struct MetricsWriter::Files {
  RowFile jsonl;
  RowFile csv;
};

MetricsWriter::MetricsWriter(const std::filesystem::path& folder, std::uint64_t step)
    : folder_(folder),
      files_(new Files{{folder / jsonl_name, "", step, step_of_json},
                       {folder / csv_name, csv_header, step, step_of_csv}}) {
  flush();
}

MetricsWriter::~MetricsWriter() = default;

void MetricsWriter::add(const StepRecord& record) {
  add(to_json(record).dump() + "\n", to_csv(record));
}

void MetricsWriter::add(const EpochRecord& record) {
  add(to_json(record).dump() + "\n", to_csv(record));
}

void MetricsWriter::add(const std::string& json_row, const std::string& csv_row) {
  files_->jsonl.add(json_row);
  files_->csv.add(csv_row);
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
