#include <lockstep/comm/gpu_share.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace lockstep {
namespace {

constexpr int none = -1;
using Offers = std::vector<std::vector<std::uint64_t>>;  // of each rank

/// The ids of the GPUs that the ranks get.
std::vector<int> shared_out(const Offers& offers, bool may_share = false) {
  std::vector<int> taken(offers.size(), none);
  run_on_threads(offers.size(), [&](Communicator& ranks) {
    const auto& offer = offers[ranks.rank()];
    const GpuShare share = share_gpus(ranks, offer, may_share);
    if (share.own) taken[ranks.rank()] = static_cast<int>(offer.at(*share.own));
    ranks.barrier();
    EXPECT_EQ(share.takers,
              offers.size() - static_cast<std::size_t>(std::ranges::count(taken, none)));
  });
  return taken;
}

using testing::ElementsAre;

TEST(GpuShare, the_ranks_of_a_host_get_one_each_by_their_order) {
  EXPECT_THAT(shared_out({{7, 8, 9}, {7, 8, 9}, {7, 8, 9}}), ElementsAre(7, 8, 9));
}

TEST(GpuShare, hosts_do_not_mix_wherever_their_ranks_lie) {
  EXPECT_THAT(shared_out({{7, 8}, {4, 5}, {7, 8}, {4, 5}}), ElementsAre(7, 4, 8, 5));
}

TEST(GpuShare, a_rank_that_sees_only_its_own_gets_it) {
  EXPECT_THAT(shared_out({{7}, {8}, {9}}), ElementsAre(7, 8, 9));
}

TEST(GpuShare, ranks_beyond_the_gpus_get_none) {
  EXPECT_THAT(shared_out({{7, 8}, {7, 8}, {7, 8}, {7, 8}}), ElementsAre(7, 8, none, none));
}

TEST(GpuShare, ranks_that_may_share_are_spread_evenly) {
  EXPECT_THAT(shared_out({{7, 8}, {7, 8}, {7, 8}, {7, 8}, {7, 8}}, true),
              ElementsAre(7, 8, 7, 8, 7));
}

TEST(GpuShare, a_rank_that_wants_none_takes_none) {
  EXPECT_THAT(shared_out({{}, {7}, {}}), ElementsAre(none, 7, none));
  EXPECT_THAT(shared_out({{}}, true), ElementsAre(none));
}

TEST(GpuShare, all_ranks_know_whether_some_share) {
  const auto shared = [](const Offers& offers) {
    std::vector<int> answers(offers.size());
    run_on_threads(offers.size(), [&](Communicator& ranks) {
      answers[ranks.rank()] = share_gpus(ranks, offers[ranks.rank()], true).shared;
    });
    return answers;
  };
  EXPECT_THAT(shared({{7}, {7}, {9}}), testing::Each(1));
  EXPECT_THAT(shared({{7}, {8}, {9}}), testing::Each(0));
}

}  // namespace
}  // namespace lockstep
