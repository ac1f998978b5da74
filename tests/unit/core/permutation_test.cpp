#include <lockstep/core/permutation.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lockstep {
namespace {

TEST(Permutation, reaches_every_place_once) {
  const Random random(7, Stream::samples);
  for (const std::uint64_t size : {1u, 2u, 3u, 5u, 16u, 17u, 1000u, 3437u, 3438u, 55000u}) {
    const Permutation permutation = shuffle(size, random, 3);
    std::vector<bool> seen(size, false);
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t place = permutation(i);
      ASSERT_LT(place, size);
      ASSERT_FALSE(seen[place]);
      seen[place] = true;
    }
  }
}

TEST(Permutation, differs_between_numbers_seeds_and_indexes) {
  const auto first = [](const Permutation& p) {
    std::vector<std::uint64_t> places;
    for (std::uint64_t i = 0; i < 16; ++i) places.push_back(p(i));
    return places;
  };
  const auto base = first(shuffle(1000, Random(1, Stream::samples, 0), 0));
  EXPECT_EQ(base, first(shuffle(1000, Random(1, Stream::samples, 0), 0)));
  EXPECT_NE(base, first(shuffle(1000, Random(1, Stream::samples, 0), 1)));
  EXPECT_NE(base, first(shuffle(1000, Random(2, Stream::samples, 0), 0)));
  EXPECT_NE(base, first(shuffle(1000, Random(1, Stream::samples, 1), 0)));
}

TEST(Permutation, sends_each_place_everywhere_alike) {
  // Chi-square of where place 0 of a permutation of 50 goes over 20,000 numbers: 49 degrees of
  // freedom.
  std::vector<int> hits(50);
  for (std::uint64_t number = 0; number < 20000; ++number) {
    ++hits[shuffle(50, Random(5, Stream::samples), number)(0)];
  }
  double chi_square = 0;
  for (const int count : hits) chi_square += (count - 400.0) * (count - 400.0) / 400.0;
  EXPECT_LT(chi_square, 86);  // p = 0.001
}

}  // namespace
}  // namespace lockstep
