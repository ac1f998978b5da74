#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

#include <lockstep/comm/forwarding_communicator.hpp>
#include <lockstep/core/error.hpp>

#include "comm_behaviour.hpp"
#include "survival.hpp"

namespace lockstep {
namespace {

class ThreadsCommunicator : public testing::TestWithParam<std::tuple<CommBehaviour, std::size_t>> {
};

TEST_P(ThreadsCommunicator, behaves) {
  const auto& [behaviour, ranks] = GetParam();
  run_on_threads(ranks, [&](Communicator& communicator) {
    EXPECT_EQ(communicator.name(), "threads");
    EXPECT_EQ(communicator.size(), ranks);
    behaviour.check(communicator);
  });
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadsCommunicator,
                         testing::Combine(testing::ValuesIn(comm_behaviours()),
                                          testing::Values(1, 2, 3, 4, 7, 16)),
                         [](const auto& test) {
                           return fmt::format("{}_{}", std::get<0>(test.param).name,
                                              std::get<1>(test.param));
                         });

TEST(RunOnThreads, goes_on_without_ranks_that_die) {
  for (const std::size_t ranks : {2, 3, 7, 12}) {
    std::atomic<int> survivors = 0;
    run_on_threads(ranks, [&](Communicator& communicator) {
      lose_all_but_one(communicator, [] { throw RankDeath(); });
      ++survivors;
    });
    EXPECT_EQ(survivors, 1);
  }
}

TEST(RunOnThreads, a_rank_without_a_loss_can_make_all_meet_again) {
  run_on_threads(3, [&](Communicator& communicator) {
    if (communicator.rank() > 0) {
      EXPECT_THROW(communicator.settle(), RankLost);
    }
    EXPECT_THAT(communicator.recover(), testing::IsEmpty());
    EXPECT_EQ(communicator.size(), 3);
    communicator.settle();
  });
}

/// Adds where it should not.
class WrongSums : public Communicator {
 public:
  explicit WrongSums(std::int64_t error) : error_(error) {}
  std::size_t rank() const noexcept override { return 0; }
  std::size_t size() const noexcept override { return 2; }
  std::string name() const override { return "wrong"; }
  std::string description() const override { return "wrong sums"; }
  void all_reduce(std::span<std::int64_t> values) override {
    for (auto& value : values) value *= 2;  // the other rank gave the same
    values.front() += error_;
  }
  void all_reduce(std::span<float>) override {}
  void broadcast(std::span<std::byte>, std::size_t) override {}
  void barrier() override {}
  std::unique_ptr<Communicator> first(std::size_t) override { return nullptr; }
  [[noreturn]] void abort(int) noexcept override { std::abort(); }

 private:
  std::int64_t error_;
};

TEST(AllReduceChecked, finds_sums_that_changed_places) {
  class Swapping : public WrongSums {
    using WrongSums::all_reduce;
    using WrongSums::WrongSums;
    void all_reduce(std::span<std::int64_t> values) override {
      WrongSums::all_reduce(values);
      std::swap(values[0], values[1]);
    }
  } swapping(0);
  std::vector<std::int64_t> values{5, 7, 9};
  EXPECT_THROW(all_reduce_checked(swapping, values), RankLost);
}

TEST(AllReduceChecked, finds_a_wrong_sum_and_a_missing_rank) {
  std::vector<std::int64_t> values{5, 7};
  WrongSums right(0);
  all_reduce_checked(right, values);
  EXPECT_THAT(values, testing::ElementsAre(10, 14));
  WrongSums wrong(1);
  EXPECT_THROW(all_reduce_checked(wrong, values), RankLost);
  class Alone : public WrongSums {
    using WrongSums::all_reduce;
    using WrongSums::WrongSums;
    void all_reduce(std::span<std::int64_t>) override {}
  } alone(0);
  EXPECT_THROW(all_reduce_checked(alone, values), RankLost);
}

TEST(Agree, settles_a_failure_before_any_rank_ends_with_it) {
  class Counting : public ForwardingCommunicator {
   public:
    using ForwardingCommunicator::ForwardingCommunicator;
    void settle() override {
      ++settled;
      ForwardingCommunicator::settle();
    }
    int settled = 0;
  };
  run_on_threads(3, [](Communicator& world) {
    Counting counting(world);
    EXPECT_THROW(agree(counting,
                       [&] {
                         if (world.rank() == 1) throw Error(ExitCode::data, "x");
                       }),
                 Error);
    EXPECT_EQ(counting.settled, 1);
    agree(counting, [] {});
    EXPECT_EQ(counting.settled, 1);
  });
}

using Call = std::function<void(Communicator&)>;

const std::vector<Call>& blocking_calls() {
  static const std::vector<Call> calls = {
      [](Communicator& communicator) { communicator.barrier(); },
      [](Communicator& communicator) {
        std::vector<std::int64_t> values(1000);
        communicator.all_reduce(values);
      },
      [](Communicator& communicator) {
        std::vector<std::byte> bytes(1000);
        communicator.broadcast(bytes, 1);
      },
      [](Communicator& communicator) { (void)communicator.first(2); },
  };
  return calls;
}

TEST(RunOnThreads, a_failure_ends_the_calls_of_all_ranks) {
  for (const auto& call : blocking_calls()) {
    std::atomic<int> told = 0;
    const auto job = [&](Communicator& communicator) {
      call(communicator);
      if (communicator.rank() == 2) throw std::domain_error("rank 2");
      for (int later = 0; later < 2; ++later) {
        try {
          call(communicator);
          ADD_FAILURE() << "a call without rank 2 returned";
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ExitCode::lost_rank);
          EXPECT_STREQ(error.what(), "");
          ++told;
        }
      }
    };
    EXPECT_THROW(run_on_threads(4, job), std::domain_error);
    EXPECT_EQ(told, 6);
  }
}

TEST(RunOnThreads, a_failure_reaches_groups_that_the_failed_rank_is_not_in) {
  const auto job = [](Communicator& communicator) {
    const auto part = communicator.first(2);
    if (!part) throw Error(ExitCode::data, "rank 2");
    std::vector<std::int64_t> values(1000);
    for (;;) part->all_reduce(values);
  };
  for (int round = 0; round < 20; ++round) {
    try {
      run_on_threads(3, job);
      ADD_FAILURE() << "did not throw";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "rank 2");
    }
  }
}

TEST(RunOnThreads, throws_the_cause_and_not_its_echo) {
  const auto job = [](Communicator& communicator) {
    agree(communicator, [&] {
      if (communicator.rank() == 3) throw Error(ExitCode::data, "the cause");
    });
  };
  for (int round = 0; round < 50; ++round) {
    try {
      run_on_threads(4, job);
      ADD_FAILURE() << "did not throw";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "the cause");
    }
  }
}

TEST(RunOnThreads, an_ended_rank_is_not_waited_for) {
  const auto job = [](Communicator& communicator) {
    if (communicator.rank() != 0) communicator.barrier();
  };
  EXPECT_THROW(run_on_threads(3, job), std::logic_error);
}

TEST(RunOnThreads, a_group_goes_on_when_others_have_ended) {
  std::atomic<int> rounds = 0;
  run_on_threads(3, [&](Communicator& communicator) {
    const auto part = communicator.first(2);
    for (int round = 0; part && round < 100; ++round, ++rounds) part->barrier();
  });
  EXPECT_EQ(rounds, 200);
}

TEST(RunOnThreads, unequal_sizes_are_refused_on_all_ranks) {
  std::atomic<int> refused = 0;
  run_on_threads(3, [&](Communicator& communicator) {
    std::vector<std::int64_t> values(5 + communicator.rank() / 2);
    EXPECT_THROW(communicator.all_reduce(values), std::logic_error);
    ++refused;
  });
  EXPECT_EQ(refused, 3);
}

TEST(RunOnThreads, a_barrier_holds_all_ranks_until_the_last_comes) {
  constexpr int ranks = 5;
  std::atomic<int> arrived = 0;
  run_on_threads(ranks, [&](Communicator& communicator) {
    for (int round = 1; round <= 200; ++round) {
      ++arrived;
      communicator.barrier();
      EXPECT_GE(arrived, round * ranks);
      communicator.barrier();
    }
  });
}

}  // namespace
}  // namespace lockstep
