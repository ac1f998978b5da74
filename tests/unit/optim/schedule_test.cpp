#include <lockstep/optim/schedule.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace lockstep {
namespace {

TEST(Schedule, constant_is_the_rate_at_every_step) {
  const Schedule schedule({.learning_rate = 0.01}, 100);
  for (const std::uint64_t step : {1u, 50u, 100u, 1000u}) EXPECT_EQ(schedule.rate(step), 0.01);
}

TEST(Schedule, cosine_starts_at_the_rate_halves_in_the_middle_and_nears_zero) {
  const Schedule schedule({.learning_rate = 0.01, .decay = Decay::cosine}, 100);
  EXPECT_EQ(schedule.rate(1), 0.01);
  EXPECT_NEAR(schedule.rate(51), 0.005, 1e-15);
  for (std::uint64_t step = 1; step <= 100; ++step) {
    const double x = static_cast<double>(step - 1) / 100;
    EXPECT_NEAR(schedule.rate(step), 0.005 * (1 + std::cos(std::numbers::pi * x)), 1e-16);
  }
}

TEST(Schedule, warm_up_rises_linearly_and_multiplies_the_decay) {
  const Schedule schedule({.learning_rate = 1.0, .decay = Decay::cosine, .warmup_steps = 10}, 40);
  EXPECT_DOUBLE_EQ(schedule.rate(1), 0.1);
  EXPECT_NEAR(schedule.rate(5), 0.5 * 0.5 * (1 + std::cos(std::numbers::pi * 0.1)), 1e-15);
  EXPECT_NEAR(schedule.rate(10), 0.5 * (1 + std::cos(std::numbers::pi * 9 / 40)), 1e-15);
  EXPECT_NEAR(schedule.rate(21), 0.5, 1e-15);
}

}  // namespace
}  // namespace lockstep
