#include "survival.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace lockstep {

namespace {

using Call = void (*)(Communicator&);

constexpr Call calls[] = {
    [](Communicator& communicator) {
      std::vector<std::int64_t> values(20'000);
      communicator.all_reduce(values);
    },
    [](Communicator& communicator) {
      std::vector<std::byte> bytes(100'000);
      communicator.broadcast(bytes, communicator.size() - 1);
    },
    [](Communicator& communicator) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      communicator.poll();
    },
    [](Communicator& communicator) { communicator.barrier(); },
    [](Communicator& communicator) { communicator.settle(); },
    [](Communicator& communicator) { agree(communicator, [] {}); },
};

/// Calls until one fails; a rank need not be the one that notices.
void call_until_lost(Communicator& communicator, Call call) {
  for (int i = 0; i < 1000; ++i) {
    try {
      call(communicator);
    } catch (const RankLost&) {
      return;
    }
  }
  ADD_FAILURE() << "nobody noticed";
}

void expect_a_whole_group(Communicator& communicator) {
  std::vector<std::int64_t> seen(communicator.size());
  seen[communicator.rank()] = 1;
  all_reduce_checked(communicator, seen);
  EXPECT_THAT(seen, testing::Each(1));
  communicator.settle();
}

}  // namespace

void lose_all_but_one(Communicator& communicator, const std::function<void()>& die) {
  ASSERT_TRUE(communicator.can_recover());
  for (std::size_t round = 0; communicator.size() > 1; ++round) {
    const std::size_t size = communicator.size();
    const std::size_t rank = communicator.rank();
    const std::size_t victim = (round % 2 == 0) ? 0 : size - 1;
    expect_a_whole_group(communicator);
    if (rank == victim) die();
    call_until_lost(communicator, calls[round % std::size(calls)]);
    EXPECT_THAT(communicator.recover(), testing::ElementsAre(victim));
    ASSERT_EQ(communicator.size(), size - 1);
    EXPECT_EQ(communicator.rank(), rank - (victim < rank ? 1 : 0));
  }
  expect_a_whole_group(communicator);
}

}  // namespace lockstep
