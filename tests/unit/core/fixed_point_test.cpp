#include <lockstep/core/fixed_point.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lockstep {
namespace {

TEST(FixedPoint, one_is_two_to_the_44) {
  EXPECT_EQ(to_fixed(1.0f), std::int64_t{1} << 44);
}

TEST(FixedPoint, floats_above_the_unit_survive_the_round_trip) {
  for (float x = 0x1p-20f; x < 0x1p18f; x *= 1.37f) {
    EXPECT_EQ(static_cast<float>(from_fixed(to_fixed(x))), x);
    EXPECT_EQ(to_fixed(-x), -to_fixed(x));
  }
}

TEST(FixedPoint, halves_round_to_even) {
  EXPECT_EQ(to_fixed(0x1p-45f), 0);
  EXPECT_EQ(to_fixed(0x3p-45f), 2);
  EXPECT_EQ(to_fixed(-0x3p-45f), -2);
  EXPECT_EQ(to_fixed(0x5p-45f), 2);
}

TEST(FixedPoint, the_nearest_double_is_what_a_cast_gives) {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t value : {lowest, lowest + 1, highest, highest - 1, std::int64_t{0}}) {
    EXPECT_EQ(nearest_double(value), static_cast<double>(value)) << value;
  }
  std::uint64_t bits = 1;
  for (int i = 0; i < 100'000; ++i) {
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    const std::int64_t value = static_cast<std::int64_t>(bits) >> (i % 64);
    ASSERT_EQ(nearest_double(value), static_cast<double>(value)) << value;
  }
}

TEST(FixedPoint, limit_times_terms_stays_below_overflow) {
  for (const std::uint64_t terms : {1u, 2u, 3u, 16u, 1000u}) {
    const double largest = std::nextafter(fixed_point_limit(terms), 0.0f);
    EXPECT_LT(largest * static_cast<double>(terms), 0x1p19);
    EXPECT_GE(largest * static_cast<double>(terms), 0x1p18 * (1 - 1e-6));
  }
}

}  // namespace
}  // namespace lockstep
