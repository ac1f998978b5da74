#include <lockstep/report/console.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <sstream>

#include "progress_line.hpp"

namespace lockstep {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

StepRecord step_record(std::uint64_t step) {
  StepRecord record;
  record.step = step;
  record.loss = 0.2874;
  record.accuracy = 0.9061;
  return record;
}

TEST(Console, prints_the_lines_of_the_article) {
  std::ostringstream out;
  Console console(out, false, {});
  console.epoch({1, 429, 0.2871, 0.9062, 0.2709, 0.9208, 1.5});
  console.test(0.0994, 0.9719);
  console.weights("ab12");
  EXPECT_EQ(out.str(),
            "Epoch: 1, Train Loss: 0.287, Train Acc: 0.906, Val Loss: 0.271, Val Acc: 0.921\n"
            "Test Loss: 0.099, Test Acc: 0.972\n"
            "Weights SHA-256: ab12\n");
}

TEST(Console, says_nothing_of_a_validation_that_is_not_there) {
  std::ostringstream out;
  Console(out, false, {}).epoch({2, 858, 0.2871, 0.9062, nan, nan, 1.5});
  EXPECT_EQ(out.str(), "Epoch: 2, Train Loss: 0.287, Train Acc: 0.906\n");
}

TEST(Console, quiet_leaves_only_the_hash) {
  std::ostringstream out;
  {
    Console console(out, true, {.quiet = true});
    console.line("text");
    console.progress(step_record(1), 10, 100);
    console.epoch({});
    console.test(0, 1);
    console.weights("ab12");
  }
  EXPECT_EQ(out.str(), "Weights SHA-256: ab12\n");
}

TEST(Console, every_line_begins_with_the_prefix) {
  std::ostringstream out;
  Console console(out, false, {}, "[synthetic] ");
  console.line("text");
  console.epoch({});
  console.test(0, 1);
  console.weights("ab12");
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(line, StartsWith("[synthetic] "));
}

TEST(Console, a_pipe_gets_no_progress) {
  std::ostringstream out;
  { Console(out, false, {}).progress(step_record(1), 10, 100); }
  EXPECT_EQ(out.str(), "");
}

TEST(Console, no_progress_where_it_is_not_wanted) {
  std::ostringstream out;
  { Console(out, true, {.progress = false}).progress(step_record(1), 10, 100); }
  EXPECT_EQ(out.str(), "");
}

TEST(Console, a_line_takes_the_place_of_the_progress) {
  std::ostringstream out;
  Console console(out, true, {});
  console.progress(step_record(1), 10, 100);
  EXPECT_THAT(out.str(), StartsWith("\r\033[KStep  1/10"));
  EXPECT_EQ(out.str().find('\n'), std::string::npos);
  console.line("text");
  console.line("more");
  EXPECT_THAT(out.str(), EndsWith("\r\033[Ktext\nmore\n"));
}

TEST(Console, leaves_no_progress_behind) {
  std::ostringstream out;
  { Console(out, true, {}).progress(step_record(1), 10, 100); }
  EXPECT_THAT(out.str(), EndsWith("\r\033[K"));
}

TEST(Console, redraws_the_progress_not_at_every_step) {
  std::ostringstream out;
  Console console(out, true, {});
  for (std::uint64_t step = 1; step <= 100'000; ++step) {
    console.progress(step_record(step), 100'000, 100);
  }
  const std::string text = out.str();
  EXPECT_GE(std::ranges::count(text, '\r'), 1);
  EXPECT_LT(std::ranges::count(text, '\r'), 10'000);
}

TEST(ProgressLine, says_all_that_it_knows) {
  const StepRecord step = step_record(1234);
  EXPECT_EQ(progress_line({step, 4290, 61'234.4, 40.6}, 100),
            "Step 1234/4290,  29 %, loss 0.287, accuracy 0.906, 61,234 samples/s, 0:41 left");
}

TEST(ProgressLine, is_silent_about_a_time_that_it_does_not_know) {
  const StepRecord step = step_record(1);
  EXPECT_EQ(progress_line({step, 10, 999, -1}, 100),
            "Step  1/10,  10 %, loss 0.287, accuracy 0.906, 999 samples/s");
}

TEST(ProgressLine, fits_any_width) {
  const StepRecord step = step_record(1234);
  std::size_t longest = 0;
  for (std::size_t columns = 0; columns < 100; ++columns) {
    const std::string line = progress_line({step, 4290, 1'234'567, 7322}, columns);
    EXPECT_LE(line.size(), columns);
    EXPECT_THAT(line, testing::Not(EndsWith(",")));
    longest = std::max(longest, line.size());
  }
  EXPECT_EQ(longest, progress_line({step, 4290, 1'234'567, 7322}, 1000).size());
}

TEST(ProgressLine, tells_time_in_minutes_and_hours) {
  EXPECT_EQ(duration_text(0.2), "0:00");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(-5), "0:00");
  EXPECT_THAT(duration_text(std::numeric_limits<double>::infinity()), HasSubstr(":"));
}

}  // namespace
}  // namespace lockstep
