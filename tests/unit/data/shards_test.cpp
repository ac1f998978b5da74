#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include <lockstep/data/shards.hpp>

namespace lockstep {
namespace {

using testing::ElementsAre;

std::vector<std::uint32_t> take(const ShardPlan& plan, std::size_t shard, std::uint64_t from,
                                std::size_t count) {
  ShardStream stream(plan, shard);
  std::vector<std::uint32_t> pictures(count);
  stream.pictures(from, pictures);
  return pictures;
}

TEST(ShardPlan, every_step_takes_the_whole_batch_and_every_picture_has_one_shard) {
  const ShardPlan plan{55'000, 7, 128, 1};
  std::size_t share = 0;
  std::size_t pictures = 0;
  for (std::size_t shard = 0; shard < plan.shards; ++shard) {
    EXPECT_EQ(plan.pictures(shard).begin, pictures);
    pictures = plan.pictures(shard).end;
    share += plan.share(shard);
  }
  EXPECT_EQ(pictures, 55'000U);
  EXPECT_EQ(share, 128U);
}

TEST(ShardPlan, ranks_of_any_number_own_the_same_shards_together) {
  const ShardPlan plan;
  for (std::size_t world_size = 1; world_size <= plan.shards; ++world_size) {
    std::size_t end = 0;
    for (std::size_t rank = 0; rank < world_size; ++rank) {
      const Range owned = plan.owned(rank, world_size);
      EXPECT_EQ(owned.begin, end);
      EXPECT_GE(owned.size(), 1U);
      end = owned.end;
    }
    EXPECT_EQ(end, plan.shards);
  }
}

TEST(ShardStream, gives_every_picture_of_its_shard_once_in_a_pass) {
  const ShardPlan plan{1003, 4, 32, 9};
  for (std::size_t shard = 0; shard < plan.shards; ++shard) {
    const Range range = plan.pictures(shard);
    for (std::uint64_t pass = 0; pass < 3; ++pass) {
      const auto order = take(plan, shard, pass * range.size(), range.size());
      const std::set<std::uint32_t> once(order.begin(), order.end());
      EXPECT_EQ(once.size(), range.size());
      EXPECT_EQ(*once.begin(), range.begin);
      EXPECT_EQ(*once.rbegin(), range.end - 1);
    }
  }
}

TEST(ShardStream, order_differs_between_passes_shards_and_seeds) {
  const ShardPlan plan{400, 4, 32, 1};
  ShardPlan other_seed = plan;
  other_seed.seed = 2;
  const auto order = take(plan, 0, 0, 100);
  auto second_shard = take(plan, 1, 0, 100);
  for (std::uint32_t& picture : second_shard) picture -= 100;
  EXPECT_NE(order, take(plan, 0, 100, 100));
  EXPECT_NE(order, second_shard);
  EXPECT_NE(order, take(other_seed, 0, 0, 100));
}

TEST(ShardStream, a_place_has_its_picture_whatever_was_asked_before) {
  const ShardPlan plan{50, 2, 8, 3};
  const auto straight = take(plan, 1, 0, 100);
  ShardStream stream(plan, 1);
  for (const std::uint64_t place : {99U, 0U, 26U, 25U, 24U, 60U}) {
    std::uint32_t picture = 0;
    stream.pictures(place, {&picture, 1});
    EXPECT_EQ(picture, straight[place]) << place;
  }
}

TEST(ShardStream, places_of_several_passes_are_given_at_once_as_one_by_one) {
  const ShardPlan plan{50, 2, 8, 3};
  std::vector<std::uint32_t> one_by_one;
  for (std::uint64_t place = 20; place < 90; ++place) {
    one_by_one.push_back(take(plan, 1, place, 1).front());
  }
  EXPECT_EQ(take(plan, 1, 20, 70), one_by_one);
}

TEST(ShardStream, a_shard_of_one_picture_gives_it_for_ever) {
  EXPECT_THAT(take({2, 2, 2, 1}, 1, 0, 3), ElementsAre(1, 1, 1));
}

// A change of these numbers changes every published hash of weights.
TEST(ShardStream, first_pictures_of_the_default_plan_stay_as_published) {
  const ShardPlan plan{55'000, 16, 128, 1};
  EXPECT_THAT(take(plan, 0, 0, 8), ElementsAre(144, 43, 379, 1117, 2949, 3314, 385, 3040));
  EXPECT_THAT(take(plan, 15, 34'370, 8),
              ElementsAre(53236, 52915, 51896, 53423, 52532, 52056, 52262, 53163));
}

}  // namespace
}  // namespace lockstep
