#include <lockstep/core/exact_math.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace lockstep {
namespace {

TEST(CosPi, agrees_with_the_librarys_cosine) {
  for (int i = 0; i <= 1000; ++i) {
    EXPECT_NEAR(cos_pi(i / 1000.0), std::cos(std::numbers::pi * i / 1000.0), 1e-15);
  }
  EXPECT_EQ(cos_pi(0.5), 0.0);
}

TEST(Power, agrees_with_the_librarys_power) {
  EXPECT_EQ(power(0.9, 0), 1.0);
  EXPECT_EQ(power(0.9, 1), 0.9);
  for (const std::uint64_t n : {2u, 10u, 429u, 4290u}) {
    const double expected = std::pow(0.999, static_cast<double>(n));
    EXPECT_NEAR(power(0.999, n), expected, expected * 1e-12);
  }
}

}  // namespace
}  // namespace lockstep
