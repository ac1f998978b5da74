#include <lockstep/report/metrics.hpp>

#include <gmock/gmock.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include <lockstep/core/error.hpp>

#include "../temporary_folder.hpp"
#include "content.hpp"

namespace lockstep {
namespace {

using Row = std::map<std::string, std::string>;
using testing::ElementsAre;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

const StepRecord step_record{
    429, 1, 0.1 + 0.2, 0.9, 0.001, 0.005, {{0.004, 0.0005, 0.0001}, {0.003, 0.0015, 0.0002}}};
const EpochRecord epoch_record{1, 429, 0.287, 0.906, 0.271, 0.921, 2.5};

/// An object for every line of metrics.jsonl.
std::vector<nlohmann::json> json_lines(const std::filesystem::path& folder) {
  std::istringstream text(content(folder / "metrics.jsonl"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::vector<std::string> cells(const std::string& line) {
  std::istringstream text(line + ",");
  std::vector<std::string> parts;
  for (std::string part; std::getline(text, part, ',');) parts.push_back(part);
  return parts;
}

/// The rows of metrics.csv by the names of its columns.
std::vector<Row> csv_rows(const std::filesystem::path& folder) {
  std::istringstream text(content(folder / "metrics.csv"));
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> names = cells(line);
  std::vector<Row> rows;
  while (std::getline(text, line)) {
    const std::vector<std::string> values = cells(line);
    EXPECT_EQ(values.size(), names.size());
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = values.at(i);
  }
  return rows;
}

TEST(Metrics, json_lines_read_back_what_was_added) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder.path());
  metrics.add(step_record);
  metrics.add(epoch_record);
  metrics.flush();
  const auto lines = json_lines(folder.path());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].at("kind"), "step");
  EXPECT_EQ(lines[0].at("step"), 429);
  EXPECT_EQ(lines[0].at("loss").get<double>(), 0.1 + 0.2);
  EXPECT_THAT(lines[0].at("compute_seconds"), ElementsAre(0.004, 0.003));
  EXPECT_THAT(lines[0].at("wait_seconds"), ElementsAre(0.0005, 0.0015));
  EXPECT_THAT(lines[0].at("reduce_seconds"), ElementsAre(0.0001, 0.0002));
  EXPECT_EQ(lines[1].at("kind"), "epoch");
  EXPECT_EQ(lines[1].at("epoch"), 1);
  EXPECT_EQ(lines[1].at("validation_accuracy"), 0.921);
}

TEST(Metrics, csv_reads_back_what_was_added) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder.path());
  metrics.add(step_record);
  metrics.add(epoch_record);
  metrics.flush();
  const std::vector<Row> rows = csv_rows(folder.path());
  ASSERT_EQ(rows.size(), 2u);
  const Row& step = rows[0];
  EXPECT_EQ(step.at("kind"), "step");
  EXPECT_EQ(std::stod(step.at("loss")), 0.1 + 0.2);
  EXPECT_EQ(step.at("rate"), "0.001");
  EXPECT_EQ(step.at("seconds"), "0.005");
  EXPECT_EQ(step.at("wait_seconds"), "0.0005");
  EXPECT_EQ(step.at("max_compute_seconds"), "0.004");
  EXPECT_EQ(step.at("max_wait_seconds"), "0.0015");
  EXPECT_EQ(step.at("max_reduce_seconds"), "0.0002");
  EXPECT_EQ(step.at("validation_loss"), "");
  const Row& epoch = rows[1];
  EXPECT_EQ(epoch.at("kind"), "epoch");
  EXPECT_EQ(epoch.at("step"), "429");
  EXPECT_EQ(epoch.at("loss"), "0.287");
  EXPECT_EQ(epoch.at("rate"), "");
  EXPECT_EQ(epoch.at("seconds"), "2.5");
  EXPECT_EQ(epoch.at("max_reduce_seconds"), "");
  EXPECT_EQ(epoch.at("validation_loss"), "0.271");
  EXPECT_EQ(epoch.at("validation_accuracy"), "0.921");
}

TEST(Metrics, what_is_not_finite_is_null_or_empty) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder.path());
  metrics.add(EpochRecord{1, 429, 0.287, 0.906, nan, nan, 2.5});
  metrics.flush();
  EXPECT_TRUE(json_lines(folder.path()).at(0).at("validation_loss").is_null());
  EXPECT_EQ(csv_rows(folder.path()).at(0).at("validation_accuracy"), "");
}

TEST(Metrics, a_step_without_ranks_has_no_seconds_of_theirs) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder.path());
  metrics.add(StepRecord{});
  metrics.flush();
  EXPECT_EQ(json_lines(folder.path()).at(0).at("compute_seconds").size(), 0u);
}

TEST(Metrics, a_folder_that_cannot_be_written_to_is_an_error) {
  const TemporaryFolder folder;
  try {
    MetricsWriter(folder.path() / "missing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::store);
    EXPECT_THAT(error.what(), testing::HasSubstr("can't write metrics.jsonl in"));
  }
}

TEST(Metrics, a_full_disk_is_an_error) {
  for (const char* name : {"metrics.csv", "metrics.jsonl"}) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink("/dev/full",
                                    folder.path() / name);  // which can be read for ever
    const auto write = [&] {
      MetricsWriter metrics(folder.path(), 5);
      metrics.add(step_record);
      metrics.flush();
    };
    EXPECT_THROW(write(), Error);
  }
}

/// The steps of the rows of both files, which must agree.
std::vector<std::uint64_t> steps(const std::filesystem::path& folder) {
  std::vector<std::uint64_t> steps;
  for (const auto& line : json_lines(folder)) steps.push_back(line.at("step"));
  std::vector<std::uint64_t> csv;
  for (const Row& row : csv_rows(folder)) csv.push_back(std::stoull(row.at("step")));
  EXPECT_EQ(csv, steps);
  return steps;
}

void add_steps(MetricsWriter& metrics, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t step = first; step <= last; ++step) {
    StepRecord record = step_record;
    record.step = step;
    metrics.add(record);
    if (step % 3 == 0) metrics.add(EpochRecord{step / 3, step, 0.1, 0.9, 0.1, 0.9, 1});
  }
  metrics.flush();
}

TEST(Metrics, go_on_behind_a_step_without_a_gap_or_a_double_row) {
  const TemporaryFolder folder;
  {
    MetricsWriter metrics(folder.path());
    add_steps(metrics, 1, 5);
  }
  std::ofstream(folder.path() / "metrics.jsonl", std::ios::app) << R"({"kind":"step","st)";
  std::ofstream(folder.path() / "metrics.csv", std::ios::app) << "step,6";
  {
    MetricsWriter metrics(folder.path(), 5);
    add_steps(metrics, 6, 7);
  }
  EXPECT_THAT(steps(folder.path()), ElementsAre(1, 2, 3, 3, 4, 5, 6, 6, 7));
  MetricsWriter metrics(folder.path(), 3);
  EXPECT_THAT(steps(folder.path()), ElementsAre(1, 2, 3, 3));
  add_steps(metrics, 4, 4);
  EXPECT_THAT(steps(folder.path()), ElementsAre(1, 2, 3, 3, 4));
}

TEST(Metrics, rows_that_are_kept_are_not_added_again) {
  const TemporaryFolder folder;
  {
    MetricsWriter metrics(folder.path());
    add_steps(metrics, 1, 3);
    StepRecord record = step_record;
    record.step = 4;
    metrics.add(record);
    metrics.flush();
  }
  MetricsWriter metrics(folder.path(), 4);
  EXPECT_THAT(steps(folder.path()), ElementsAre(1, 2, 3, 3, 4));
  add_steps(metrics, 1, 6);
  EXPECT_THAT(steps(folder.path()), ElementsAre(1, 2, 3, 3, 4, 5, 6, 6));
}

TEST(Metrics, make_a_csv_anew_that_lost_rows) {
  const TemporaryFolder folder;
  {
    MetricsWriter metrics(folder.path());
    add_steps(metrics, 1, 3);
    metrics.add(EpochRecord{2, 3, 0.287, 0.906, nan, nan, 2.5});
    metrics.flush();
  }
  const std::string whole = content(folder.path() / "metrics.csv");
  std::filesystem::resize_file(folder.path() / "metrics.csv", whole.size() / 2);
  MetricsWriter(folder.path(), 3);
  EXPECT_EQ(content(folder.path() / "metrics.csv"), whole);
}

TEST(Metrics, begin_anew_without_a_step_and_where_the_files_are_of_another_kind) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "metrics.jsonl") << "something else\n";
  std::ofstream(folder.path() / "metrics.csv") << "something else\nstep,1,\n";
  {
    MetricsWriter metrics(folder.path(), 9);
    add_steps(metrics, 10, 11);
  }
  EXPECT_THAT(steps(folder.path()), ElementsAre(10, 11));
  MetricsWriter metrics(folder.path());
  EXPECT_THAT(steps(folder.path()), ElementsAre());
}

TEST(Metrics, rows_that_could_not_be_written_come_with_the_next_flush) {
  const TemporaryFolder folder;
  MetricsWriter metrics(folder.path());
  add_steps(metrics, 1, 2);
  std::filesystem::rename(folder.path() / "metrics.csv", folder.path() / "aside");
  std::filesystem::create_directory(folder.path() / "metrics.csv");
  int failures = 0;
  for (std::uint64_t step = 3; step <= 100; ++step) {
    StepRecord record = step_record;
    record.step = step;
    try {
      metrics.add(record);
    } catch (const Error&) {
      ++failures;
    }
  }
  EXPECT_THAT(failures, testing::AllOf(testing::Ge(1), testing::Lt(20)));  // not at every row
  std::filesystem::remove(folder.path() / "metrics.csv");
  std::filesystem::rename(folder.path() / "aside", folder.path() / "metrics.csv");
  metrics.flush();
  const std::vector<std::uint64_t> found = steps(folder.path());
  ASSERT_EQ(found.size(), 100u);
  for (std::uint64_t step = 1; step <= 100; ++step) EXPECT_EQ(found[step - 1], step);
}

}  // namespace
}  // namespace lockstep
