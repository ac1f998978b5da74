#include "metric_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <vector>

namespace lockstep {
namespace {

using Json = nlohmann::ordered_json;

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

/// What to_json made null was no number.
double number(const Json& row, const char* name) {
  const Json& value = row.at(name);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

StepRecord to_step(const Json& row) {
  StepRecord record{row.at("step").get<std::uint64_t>(),
                    number(row, "epoch"),
                    number(row, "loss"),
                    number(row, "accuracy"),
                    number(row, "rate"),
                    number(row, "seconds"),
                    {}};
  const Json& compute = row.at("compute_seconds");
  for (std::size_t rank = 0; rank < compute.size(); ++rank) {
    record.ranks.push_back({compute.at(rank).get<double>(),
                            row.at("wait_seconds").at(rank).get<double>(),
                            row.at("reduce_seconds").at(rank).get<double>()});
  }
  return record;
}

EpochRecord to_epoch(const Json& row) {
  return {row.at("epoch").get<std::size_t>(),
          row.at("step").get<std::uint64_t>(),
          number(row, "loss"),
          number(row, "accuracy"),
          number(row, "validation_loss"),
          number(row, "validation_accuracy"),
          number(row, "seconds")};
}

template <class Record>
MetricRow make_row(const Record& record) {
  return {record.step, to_json(record).dump() + "\n", to_csv(record),
          std::is_same_v<Record, EpochRecord>};
}

}  // namespace

const char* const csv_header =
    "kind,step,epoch,loss,accuracy,rate,seconds,compute_seconds,wait_seconds,reduce_seconds,"
    "max_compute_seconds,max_wait_seconds,max_reduce_seconds,validation_loss,validation_accuracy\n";

MetricRow to_row(const StepRecord& record) {
  return make_row(record);
}

MetricRow to_row(const EpochRecord& record) {
  return make_row(record);
}

std::optional<MetricRow> parse_row(std::string_view json_line) {
  try {
    const Json row = Json::parse(json_line);
    return row.at("kind") == "epoch" ? to_row(to_epoch(row)) : to_row(to_step(row));
  } catch (const Json::exception&) {
    return {};
  }
}

}  // namespace lockstep
