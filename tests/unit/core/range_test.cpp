#include <lockstep/core/range.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace lockstep {
namespace {

TEST(Part, covers_everything_once_in_order) {
  for (const std::size_t n : {1U, 7U, 128U, 55'000U}) {
    for (std::size_t parts = 1; parts <= 17; ++parts) {
      std::size_t end = 0;
      for (std::size_t i = 0; i < parts; ++i) {
        const Range range = part(n, parts, i);
        EXPECT_EQ(range.begin, end);
        EXPECT_EQ(range.begin, n * i / parts);
        end = range.end;
      }
      EXPECT_EQ(end, n);
    }
  }
}

TEST(Part, does_not_overflow) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(part(most, 3, 2), (Range{most / 3 * 2, most}));
}

}  // namespace
}  // namespace lockstep
