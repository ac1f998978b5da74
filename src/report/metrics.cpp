#include <lockstep/report/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

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

}  // namespace

MetricsWriter::MetricsWriter(const std::filesystem::path& folder)
    : folder_(folder), jsonl_(folder / "metrics.jsonl"), csv_(folder / "metrics.csv") {
  csv_ << csv_header;
  check();
}

void MetricsWriter::add(const StepRecord& record) {
  jsonl_ << to_json(record) << '\n';
  csv_ << to_csv(record);
  check();
}

void MetricsWriter::add(const EpochRecord& record) {
  jsonl_ << to_json(record) << '\n';
  csv_ << to_csv(record);
  check();
}

void MetricsWriter::flush() {
  jsonl_.flush();
  csv_.flush();
  check();
}

void MetricsWriter::check() const {
  if (jsonl_ && csv_) return;
  throw Error(ExitCode::store,
              fmt::format("can't write {} in {}: free some space or choose another --out",
                          jsonl_ ? "metrics.csv" : "metrics.jsonl", folder_.string()));
}

}  // namespace lockstep
