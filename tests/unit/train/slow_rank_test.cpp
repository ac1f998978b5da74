#include "slow_rank.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep {
namespace {

/// A step of 10 ms in which the ranks waited so long, milliseconds.
StepRecord step(const std::vector<double>& waits) {
  StepRecord record;
  record.seconds = 0.010;
  for (const double wait : waits) record.ranks.push_back({0.001, wait / 1e3, 0.001});
  return record;
}

/// After how many of these steps the alarm speaks; 0: not within 300.
int steps_until(SlowRankAlarm& alarm, const std::vector<double>& waits) {
  for (int i = 1; i <= 300; ++i) {
    if (alarm.add(step(waits))) return i;
  }
  return 0;
}

TEST(SlowRankAlarm, names_the_rank_that_costs_the_others_a_fifth_for_100_steps_and_says_it_once) {
  SlowRankAlarm alarm;
  for (int i = 1; i < 100; ++i) EXPECT_FALSE(alarm.add(step({2.5, 3.5, 0, 8}))) << i;
  const auto verdict = alarm.add(step({2.5, 3.5, 0, 8}));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->rank, 2);
  EXPECT_NEAR(verdict->share, 0.25, 1e-9);
  EXPECT_EQ(steps_until(alarm, {2.5, 3.5, 0, 8}), 0);
}

TEST(SlowRankAlarm, begins_anew_after_a_step_in_which_it_was_another_or_nobody) {
  SlowRankAlarm alarm;
  for (int i = 0; i < 99; ++i) alarm.add(step({3, 0}));
  alarm.add(step({0, 3}));
  for (int i = 0; i < 99; ++i) EXPECT_FALSE(alarm.add(step({3, 0})));
  alarm.add(step({1, 0}));
  EXPECT_EQ(steps_until(alarm, {3, 0}), 100);
}

TEST(SlowRankAlarm, is_silent_where_two_are_slow_the_ranks_are_equal_or_there_is_one) {
  for (const std::vector<double>& waits :
       std::vector<std::vector<double>>{{5, 5, 0, 0.1}, {0.2, 0, 0.4, 1.9}, {0}, {}}) {
    SlowRankAlarm alarm;
    EXPECT_EQ(steps_until(alarm, waits), 0);
  }
}

}  // namespace
}  // namespace lockstep
