#include <lockstep/core/random.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

// The known answers that the authors publish with Random123 (kat_vectors).
TEST(Random, philox_gives_the_published_answers) {
  using Block = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, uniform_has_the_mean_and_variance_of_the_unit_interval) {
  const Random random(1, Stream::weights);
  double sum = 0;
  double squares = 0;
  constexpr int count = 100000;
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform(static_cast<std::uint64_t>(i));
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / count;
  EXPECT_NEAR(mean, 0.5, 0.004);
  EXPECT_NEAR(squares / count - mean * mean, 1.0 / 12, 0.002);
}

TEST(Random, streams_seeds_and_indexes_are_apart) {
  const auto base = Random(1, Stream::weights, 0).block(0);
  EXPECT_NE(base, Random(1, Stream::samples, 0).block(0));
  EXPECT_NE(base, Random(1, Stream::weights, 1).block(0));
  EXPECT_NE(base, Random(2, Stream::weights, 0).block(0));
  EXPECT_NE(base, Random(1ull << 32 | 1, Stream::weights, 0).block(0));
}

}  // namespace
}  // namespace lockstep
