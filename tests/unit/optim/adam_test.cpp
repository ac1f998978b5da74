#include <lockstep/optim/adam.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include <lockstep/core/fixed_point.hpp>

namespace lockstep {
namespace {

std::vector<std::int64_t> fixed(const std::vector<float>& gradient) {
  std::vector<std::int64_t> sum;
  for (const float g : gradient) sum.push_back(to_fixed(g));
  return sum;
}

TEST(Adam, first_step_moves_by_the_rate_against_the_gradients_sign) {
  Team team(1);
  // By hand: m = 0.1 g, v = 0.001 g^2, rate_1 = rate sqrt(0.001) / 0.1, so m rate_1 / sqrt(v) =
  // rate.
  Adam adam({}, 3);
  std::vector<float> p{1.0f, 1.0f, 1.0f};
  adam.step(p, fixed({2.0f, -0.5f, 0.0f}), 1, 0.001, 1, team);
  EXPECT_NEAR(p[0], 0.999f, 1e-7);
  EXPECT_NEAR(p[1], 1.001f, 1e-7);
  EXPECT_EQ(p[2], 1.0f);
  EXPECT_FLOAT_EQ(adam.first_moment()[0], 0.2f);
  EXPECT_NEAR(adam.second_moment()[1], 0.00025f, 1e-8);
}

TEST(Adam, two_steps_follow_the_formula_of_the_header) {
  Team team(1);
  Adam adam({.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0.25}, 1);
  std::vector<float> p{0.0f};
  // g = 4 (a sum of 8 over 2 samples): m = 2, v = 4, rate_1 = 0.5 sqrt(0.25) / 0.5 = 0.5,
  // p = -0.5 * 2 / (2 + 0.25).
  adam.step(p, fixed({8.0f}), 2, 0.5, 1, team);
  EXPECT_FLOAT_EQ(p[0], -1.0f / 2.25f);
  // g = -2: m = 1 - 1 = 0, so p stays; v = 3 + 1 = 4.
  adam.step(p, fixed({-4.0f}), 2, 0.5, 2, team);
  EXPECT_FLOAT_EQ(p[0], -1.0f / 2.25f);
  EXPECT_EQ(adam.first_moment()[0], 0.0f);
  EXPECT_EQ(adam.second_moment()[0], 4.0f);
  // g = 2: m = 1, v = 4, rate_3 = 0.5 sqrt(1 - 0.421875) / 0.875.
  adam.step(p, fixed({4.0f}), 2, 0.5, 3, team);
  const double rate = 0.5 * std::sqrt(0.578125) / 0.875;
  EXPECT_NEAR(p[0], -1.0 / 2.25 - rate / 2.25, 1e-7);
}

TEST(Adam, any_team_takes_the_same_step) {
  constexpr std::size_t parameters = 1003;
  std::vector<float> gradient(parameters);
  for (std::size_t i = 0; i < parameters; ++i) gradient[i] = std::sin(static_cast<float>(i));
  std::vector<float> alone(parameters, 0.25f);
  Team one(1);
  Adam({}, parameters).step(alone, fixed(gradient), 3, 0.001, 1, one);
  for (const std::size_t size : {2u, 3u, 5u}) {
    std::vector<float> together(parameters, 0.25f);
    Team team(size);
    Adam({}, parameters).step(together, fixed(gradient), 3, 0.001, 1, team);
    EXPECT_EQ(together, alone) << size;
  }
}

TEST(Adam, gradient_norm_is_that_of_the_mean) {
  EXPECT_DOUBLE_EQ(gradient_norm(fixed({3.0f, -4.0f}), 1), 5.0);
  EXPECT_DOUBLE_EQ(gradient_norm(fixed(std::vector<float>(10000, 8.0f)), 8), 100.0);
  EXPECT_EQ(gradient_norm(fixed({0.0f}), 4), 0.0);
}

TEST(Adam, clipping_brings_a_long_gradient_down_to_the_norm_and_leaves_a_short_one) {
  Team team(1);
  const AdamConfig clipped{.beta1 = 0.0, .clip_norm = 1.0};
  Adam adam(clipped, 2);
  std::vector<float> p(2);
  adam.step(p, fixed({3.0f, -4.0f}), 1, 0.001, 1, team);
  EXPECT_FLOAT_EQ(adam.first_moment()[0], 0.6f);
  EXPECT_FLOAT_EQ(adam.first_moment()[1], -0.8f);
  Adam other(clipped, 2);
  other.step(p, fixed({0.3f, -0.4f}), 1, 0.001, 1, team);
  EXPECT_EQ(other.first_moment()[0], 0.3f);
}

}  // namespace
}  // namespace lockstep
