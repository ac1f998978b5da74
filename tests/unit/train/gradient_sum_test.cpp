#include "gradient_sum.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

constexpr std::size_t parameters = 100;
constexpr std::uint64_t weights = 0x123456789abcdef1;

/// The block of a rank of two, as it goes into the all-reduce.
GradientSum part(std::size_t rank, const RankReport& report = {}, std::uint64_t print = weights,
                 const Tally& tally = {10, 3, 0}, bool ordered = true) {
  Team team(1);
  GradientSum sum(parameters, 2, 1, ordered);
  for (std::size_t i = 0; i < parameters; ++i) {
    sum.gradient(0)[i] = static_cast<std::int64_t>(i * (rank + 1)) - 77;
  }
  sum.merge(team);
  sum.seal(tally, 64, rank, report, print);
  return sum;
}

GradientSum reduced(GradientSum a, GradientSum b) {
  for (std::size_t i = 0; i < a.block().size(); ++i) {
    a.block()[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a.block()[i]) +
                                             static_cast<std::uint64_t>(b.block()[i]));
  }
  return a;
}

ExitCode failure(const GradientSum& sum, std::string* line = nullptr) {
  try {
    sum.verify(7, 128, weights);
  } catch (const Error& error) {
    if (line) *line = error.what();
    return error.code();
  }
  return ExitCode::done;
}

TEST(GradientSum, a_right_sum_passes_and_carries_tally_and_reports) {
  const GradientSum sum = reduced(part(0, {.compute_seconds = 0.5}), part(1, {.stop = true}));
  EXPECT_EQ(failure(sum), ExitCode::done);
  EXPECT_EQ(sum.outcome().tally.loss, 20);
  EXPECT_EQ(sum.outcome().tally.correct, 6);
  EXPECT_TRUE(sum.outcome().stop);
  EXPECT_EQ(sum.outcome().failure, 0);
  EXPECT_NEAR(sum.outcome().reports[0].compute_seconds, 0.5, 1e-8);
  EXPECT_EQ(sum.gradient()[5], 5 + 10 - 154);
}

TEST(GradientSum, one_wrong_bit_anywhere_breaks_the_checksum) {
  const std::size_t size = part(0).block().size();
  for (std::size_t i = 0; i < size; ++i) {
    GradientSum sum = reduced(part(0), part(1));
    sum.block()[i] ^= std::int64_t{1} << (i % 64);
    EXPECT_EQ(failure(sum), ExitCode::lost_rank) << i;
  }
}

TEST(GradientSum, values_that_change_places_break_the_checksum) {
  for (const std::size_t n : {1u, 8u, 50u}) {
    GradientSum sum = reduced(part(0), part(1));
    const auto chunk = sum.block().subspan(0, n);
    std::ranges::swap_ranges(chunk, sum.block().subspan(n, n));
    EXPECT_EQ(failure(sum), ExitCode::lost_rank) << n;
  }
}

TEST(GradientSum, a_block_without_order_is_as_a_gpu_has_it) {
  const auto unordered = [](std::size_t rank) {
    return part(rank, {}, weights, {10, 3, 0}, false);
  };
  EXPECT_EQ(unordered(0).block().size(), parameters + tail_size(2));
  EXPECT_EQ(failure(reduced(unordered(0), unordered(1))), ExitCode::done);
}

TEST(GradientSum, workers_of_any_number_add_up_to_one_gradient) {
  constexpr std::size_t many = 5000;
  for (const std::size_t size : {1u, 2u, 3u, 7u}) {
    Team team(size);
    GradientSum sum(many, 1, size, true);
    for (const bool again : {false, true}) {
      for (std::size_t worker = 0; worker < size; ++worker) {
        sum.clear(worker);
        for (std::size_t i = 0; i < many; ++i) {
          sum.gradient(worker)[i] += static_cast<std::int64_t>(i + worker * many);
        }
      }
      sum.merge(team);
      sum.seal({}, 128, 0, {}, weights);
      EXPECT_EQ(failure(sum), ExitCode::done) << size << again;
      for (std::size_t i = 0; i < many; ++i) {
        EXPECT_EQ(sum.gradient()[i],
                  static_cast<std::int64_t>(size * i + many * (size * (size - 1) / 2)));
      }
    }
  }
}

TEST(GradientSum, a_missing_rank_is_noticed_although_its_checksum_holds) {
  EXPECT_EQ(failure(part(0)), ExitCode::lost_rank);
}

TEST(GradientSum, weights_that_differ_on_one_rank_are_noticed) {
  std::string line;
  EXPECT_EQ(failure(reduced(part(0), part(1, {}, weights + 2)), &line), ExitCode::lost_rank);
  EXPECT_THAT(line, testing::HasSubstr("drifted apart before step 7"));
}

TEST(GradientSum, an_invalid_gradient_of_any_rank_names_step_and_tensor) {
  std::string line;
  const Tally bad{0, 0, 0b10001};
  EXPECT_EQ(failure(reduced(part(0), part(1, {}, weights, bad)), &line), ExitCode::non_finite);
  EXPECT_THAT(line, testing::HasSubstr("at step 7: the loss and the gradient of kernel;"));
}

TEST(Fingerprint, changes_with_every_single_bit) {
  std::vector<float> values(1000, 0.5f);
  const std::uint64_t whole = fingerprint(values);
  for (std::size_t i = 0; i < values.size(); i += 37) {
    for (int bit = 0; bit < 32; ++bit) {
      auto changed = values;
      changed[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(0.5f) ^ (1u << bit));
      EXPECT_NE(fingerprint(changed), whole);
    }
  }
}

TEST(Fingerprint, changes_when_two_values_swap) {
  EXPECT_NE(fingerprint(std::vector{1.0f, 2.0f}), fingerprint(std::vector{2.0f, 1.0f}));
}

}  // namespace
}  // namespace lockstep
