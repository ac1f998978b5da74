#include "parity_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "weight_difference.hpp"

namespace lockstep {
namespace {

constexpr ModelShape shape{2, 3, 4, 5};

std::vector<float> weights(float value = 0.5f) {
  return std::vector<float>(parameter_count(shape), value);
}

TEST(UlpDistance, counts_the_numbers_between) {
  EXPECT_EQ(ulp_distance(1.0f, 1.0f), 0);
  EXPECT_EQ(ulp_distance(1.0f, std::nextafter(1.0f, 2.0f)), 1);
  EXPECT_EQ(ulp_distance(1.0f, 2.0f), 1u << 23);
  EXPECT_EQ(ulp_distance(-1.0f, std::nextafter(-1.0f, 0.0f)), 1);
}

TEST(UlpDistance, sees_the_sign_of_zero_and_crosses_it) {
  const float least = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(ulp_distance(0.0f, -0.0f), 1);
  EXPECT_EQ(ulp_distance(least, -least), 3);
  EXPECT_EQ(ulp_distance(-least, least), 3);
}

TEST(CompareWeights, finds_nothing_between_the_same_bits) {
  EXPECT_FALSE(compare_weights(shape, weights(), weights()));
}

TEST(CompareWeights, names_the_tensor_that_is_furthest_away) {
  auto other = weights();
  const auto layout = tensors(shape);
  other[layout[0].offset] = std::nextafter(0.5f, 1.0f);
  other[layout[2].offset + 1] = std::nextafter(std::nextafter(0.5f, 1.0f), 1.0f);
  const auto furthest = compare_weights(shape, weights(), other);
  ASSERT_TRUE(furthest);
  EXPECT_EQ(furthest->tensor, layout[2].name);
  EXPECT_EQ(furthest->ulp, 2);
}

TEST(CompareWeights, looks_at_the_first_and_at_the_last_value) {
  for (const std::size_t i : {std::size_t{0}, parameter_count(shape) - 1}) {
    auto other = weights();
    other[i] = -other[i];
    EXPECT_TRUE(compare_weights(shape, weights(), other)) << i;
  }
}

TEST(ParityCheck, finds_no_difference_between_equal_runs) {
  ParityCheck check(shape);
  for (const std::size_t ranks : {1, 2, 7}) {
    check.begin(ranks);
    check.add(1, weights(0.5f));
    check.add(2, weights(0.25f));
  }
  EXPECT_EQ(check.difference(), "");
}

TEST(ParityCheck, tells_the_first_epoch_of_the_first_run_that_differs) {
  ParityCheck check(shape);
  auto changed = weights();
  changed.back() = std::nextafter(0.5f, 1.0f);
  for (const std::size_t ranks : {1, 2, 3, 4}) {
    check.begin(ranks);
    for (std::size_t epoch = 1; epoch <= 3; ++epoch) {
      check.add(epoch, ranks == 3 && epoch >= 2 ? changed : ranks == 4 ? weights(1) : weights());
    }
  }
  EXPECT_EQ(check.difference(), "3 ranks against 1: first after epoch 2, furthest in " +
                                    std::string(tensors(shape)[3].name) + ", by 1 ULP");
}

}  // namespace
}  // namespace lockstep
