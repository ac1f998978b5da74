#include "nearest.hpp"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(EditDistance, counts_letters_put_in_taken_out_and_exchanged) {
  EXPECT_EQ(edit_distance("epochs", "epochs"), 0);
  EXPECT_EQ(edit_distance("epoch", "epochs"), 1);
  EXPECT_EQ(edit_distance("epochss", "epochs"), 1);
  EXPECT_EQ(edit_distance("apochs", "epochs"), 1);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("abc", ""), 3);
}

TEST(Nearest, is_the_candidate_that_is_least_away) {
  EXPECT_EQ(nearest("hiden", {"seed", "hidden", "shards"}), "hidden");
  EXPECT_EQ(nearest("shard", {"hard", "shards", "share"}), "hard");  // the first of equals
}

TEST(Nearest, is_nothing_where_all_are_far) {
  EXPECT_EQ(nearest("resume", {"epochs", "hidden", "data"}), "");
  EXPECT_EQ(nearest("epochs", {}), "");
}

}  // namespace
}  // namespace lockstep
