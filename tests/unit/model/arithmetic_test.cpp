#include "arithmetic.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lockstep {
namespace {

/// Distance in units of the last place of the exact value.
double ulps(float found, double exact) {
  const auto near = static_cast<float>(std::abs(exact));
  const double unit = std::nextafter(near, INFINITY) - near;
  return std::abs(found - exact) / unit;
}

TEST(Tanh, is_within_6_ulp_and_never_above_1) {
  for (float x = -12.0f; x < 12.0f; x += 0x1p-12f) {
    const float y = arithmetic::tanh(x);
    ASSERT_LE(std::abs(y), 1.0f) << x;
    ASSERT_LT(ulps(y, std::tanh(static_cast<double>(x))), 6.0) << x;
  }
  for (float x = 1e-30f; x < 1e-3f; x *= 1.01f) {
    ASSERT_LT(ulps(arithmetic::tanh(x), std::tanh(static_cast<double>(x))), 6.0) << x;
  }
}

TEST(Tanh, is_odd_and_saturates) {
  for (float x = 0.0f; x < 10.0f; x += 0.37f) {
    EXPECT_EQ(arithmetic::tanh(-x), -arithmetic::tanh(x));
  }
  EXPECT_EQ(arithmetic::tanh(INFINITY), arithmetic::tanh(8.2f));
  EXPECT_TRUE(std::isnan(arithmetic::tanh(NAN)));
}

TEST(Exp, is_within_2_ulp_for_negative_arguments) {
  EXPECT_EQ(arithmetic::exp(0.0f), 1.0f);
  for (float x = 0.0f; x > -87.0f; x -= 0x1p-9f) {
    const float y = arithmetic::exp(x);
    ASSERT_LE(y, 1.0f);
    ASSERT_LT(ulps(y, std::exp(static_cast<double>(x))), 2.0) << x;
  }
}

TEST(Exp, stays_positive_far_below_and_keeps_not_a_number) {
  EXPECT_GT(arithmetic::exp(-1e30f), 0.0f);
  EXPECT_EQ(arithmetic::exp(-INFINITY), arithmetic::exp(-87.0f));
  EXPECT_TRUE(std::isnan(arithmetic::exp(NAN)));
}

TEST(Log, is_within_2_ulp_from_1_up) {
  EXPECT_EQ(arithmetic::log(1.0f), 0.0f);
  for (float x = 1.0f; x < 1000.0f; x = std::nextafter(x * 1.0001f, INFINITY)) {
    ASSERT_LT(ulps(arithmetic::log(x), std::log(static_cast<double>(x))), 2.0) << x;
  }
}

TEST(Log, keeps_infinity_and_not_a_number) {
  EXPECT_EQ(arithmetic::log(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(arithmetic::log(NAN)));
}

TEST(SoftmaxCrossEntropy, gives_probabilities_the_first_largest_and_the_labels_loss) {
  std::vector<float> logits{1.0f, 3.0f, 3.0f, -2.0f};
  std::vector<float> probabilities(4);
  std::size_t predicted = 9;
  const float loss =
      arithmetic::softmax_cross_entropy(logits.data(), 4, 0, probabilities.data(), predicted);
  const double sum = std::exp(1.0) + 2 * std::exp(3.0) + std::exp(-2.0);
  EXPECT_EQ(predicted, 1u);
  EXPECT_NEAR(loss, std::log(sum) - 1.0, 1e-6);
  EXPECT_NEAR(probabilities[3], std::exp(-2.0) / sum, 1e-8);
  EXPECT_NEAR(probabilities[1], std::exp(3.0) / sum, 1e-7);
}

}  // namespace
}  // namespace lockstep
