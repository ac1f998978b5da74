#include <lockstep/core/checksum.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace lockstep {
namespace {

/// As the definition says.
Checksum one_by_one(const std::vector<std::int64_t>& values) {
  Checksum result;
  for (const std::int64_t value : values) {
    result.sum += static_cast<std::uint64_t>(value);
    result.order += result.sum;
  }
  return result;
}

std::vector<std::int64_t> some(std::size_t size, std::uint64_t seed = 1) {
  std::vector<std::int64_t> values(size);
  for (std::int64_t& value : values) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<std::int64_t>(seed);
  }
  return values;
}

TEST(Checksum, is_that_of_the_definition_for_any_size) {
  for (std::size_t size = 0; size < 100; ++size) {
    EXPECT_EQ(checksum(some(size)), one_by_one(some(size))) << size;
  }
  EXPECT_EQ(checksum(some(22'000)), one_by_one(some(22'000)));
}

TEST(Checksum, of_parts_joins_to_that_of_the_whole) {
  const std::vector<std::int64_t> whole = some(100);
  for (const std::size_t cut : {0u, 1u, 16u, 37u, 100u}) {
    const auto first = std::span(whole).first(cut);
    const auto next = std::span(whole).subspan(cut);
    EXPECT_EQ(join(checksum(first), checksum(next), next.size()), checksum(whole)) << cut;
  }
}

TEST(Checksum, of_a_sum_is_the_sum_of_the_checksums) {
  const auto a = some(50), b = some(50, 2);
  std::vector<std::int64_t> sum(50);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a[i]) +
                                       static_cast<std::uint64_t>(b[i]));
  }
  const Checksum x = checksum(a), y = checksum(b);
  EXPECT_EQ(checksum(sum), (Checksum{x.sum + y.sum, x.order + y.order}));
}

TEST(Checksum, changes_its_order_alone_where_chunks_change_places) {
  for (const std::size_t n : {1u, 16u, 50u}) {
    std::vector<std::int64_t> values = some(100);
    const Checksum before = checksum(values);
    std::swap_ranges(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n),
                     values.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(checksum(values).sum, before.sum);
    EXPECT_NE(checksum(values).order, before.order);
  }
}

}  // namespace
}  // namespace lockstep
