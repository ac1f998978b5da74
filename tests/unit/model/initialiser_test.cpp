#include <lockstep/model/initialiser.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lockstep {
namespace {

std::vector<float> parameters(std::uint64_t seed, RecurrentInit recurrent = RecurrentInit::glorot) {
  std::vector<float> result(parameter_count({}));
  initialise({}, seed, recurrent, result);
  return result;
}

TEST(Shape, default_has_the_articles_21386_parameters) {
  EXPECT_EQ(parameter_count({}), 21386u);
  const auto [kernel, bias, head, head_bias] = tensors({});
  EXPECT_EQ(kernel.rows, 156u);
  EXPECT_EQ(bias.offset, 156u * 128);
  EXPECT_EQ(head.offset, 157u * 128);
  EXPECT_EQ(head_bias.offset, 157u * 128 + 1280);
}

TEST(Initialiser, kernels_have_glorots_bounds_mean_and_variance) {
  const auto p = parameters(1);
  const auto all = tensors({});
  const double fans[] = {156 + 128, 0, 128 + 10};
  for (const std::size_t i : {0u, 2u}) {
    const double bound = std::sqrt(6.0 / fans[i]);
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (std::size_t k = all[i].offset; k < all[i].offset + all[i].size(); ++k) {
      sum += p[k];
      squares += static_cast<double>(p[k]) * p[k];
      largest = std::max(largest, std::abs(static_cast<double>(p[k])));
    }
    const auto n = static_cast<double>(all[i].size());
    const double deviation = bound / std::sqrt(3.0);
    EXPECT_LE(largest, bound * 1.0000001);
    EXPECT_GT(largest, bound * 0.99);
    EXPECT_NEAR(sum / n, 0.0, 4 * deviation / std::sqrt(n));
    EXPECT_NEAR(squares / n, deviation * deviation, 0.06 * deviation * deviation);
  }
}

TEST(Initialiser, biases_are_zero) {
  const auto p = parameters(1);
  for (const std::size_t i : {1u, 3u}) {
    const Tensor t = tensors({})[i];
    for (std::size_t k = t.offset; k < t.offset + t.size(); ++k) EXPECT_EQ(p[k], 0.0f);
  }
}

TEST(Initialiser, depends_on_the_seed_alone) {
  EXPECT_EQ(parameters(3), parameters(3));
  EXPECT_NE(parameters(3), parameters(4));
}

TEST(Initialiser, identity_changes_the_recurrent_rows_only) {
  const auto glorot = parameters(2);
  const auto identity = parameters(2, RecurrentInit::identity);
  for (std::size_t row = 0; row < 156; ++row) {
    for (std::size_t column = 0; column < 128; ++column) {
      const std::size_t k = row * 128 + column;
      const float expected = row < 28 ? glorot[k] : (row - 28 == column ? 1.0f : 0.0f);
      ASSERT_EQ(identity[k], expected);
    }
  }
  EXPECT_TRUE(std::equal(glorot.begin() + 156 * 128, glorot.end(), identity.begin() + 156 * 128));
}

}  // namespace
}  // namespace lockstep
