#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>
#include <vector>

#include <lockstep/comm/device_reducer.hpp>

#include "stand_in.hpp"

namespace lockstep {
namespace {

using nccl_stand_in::Stream;

class NcclReducer : public testing::Test {
 protected:
  void SetUp() override { nccl_stand_in::reset(); }
  void TearDown() override {
    ::unsetenv("NCCL_MULTI_RANK_GPU_ENABLE");
    EXPECT_EQ(nccl_stand_in::living(), 0);
  }
};

/// Each rank on a GPU of its own.
std::unique_ptr<DeviceReducer> make(Communicator& ranks, double patience = 20) {
  return make_nccl_reducer(ranks, {.gpu = 100 + ranks.rank(), .patience_seconds = patience});
}

/// As a replica waits.
void synchronise(DeviceReducer& reducer, Stream& stream) {
  while (stream.pending > 0) {
    reducer.check();
    std::this_thread::yield();
  }
}

void expect_sums(Communicator& ranks, DeviceReducer& reducer, std::size_t n) {
  Stream stream;
  std::vector<std::int64_t> block(n);
  for (std::size_t i = 0; i < n; ++i) {
    block[i] = static_cast<std::int64_t>((i + 1) * (ranks.rank() + 1));
  }
  reducer.all_reduce(block.data(), n, stream.handle());
  synchronise(reducer, stream);
  const std::size_t all = ranks.size() * (ranks.size() + 1) / 2;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n; ++i) wrong += block[i] != static_cast<std::int64_t>((i + 1) * all);
  EXPECT_EQ(wrong, 0) << "of " << n << " over " << ranks.size();
}

struct Outcome {
  int code = 0;
  std::string line;
  bool lost = false;  // whether one can recover from it
};

template <typename Work>
Outcome outcome_of(Work work) {
  try {
    work();
    return {};
  } catch (const RankLost& error) {
    return {static_cast<int>(error.code()), error.what(), true};
  } catch (const Error& error) {
    return {static_cast<int>(error.code()), error.what(), false};
  }
}

/// The making is refused on all of 3 ranks, with the line on rank `teller`.
void expect_refusal(std::size_t teller, ExitCode code, const std::string& part,
                    const std::function<NcclConfig(std::size_t rank)>& config) {
  run_on_threads(3, [&](Communicator& ranks) {
    const auto outcome = outcome_of([&] { make_nccl_reducer(ranks, config(ranks.rank())); });
    EXPECT_EQ(outcome.code, static_cast<int>(code));
    EXPECT_FALSE(outcome.lost);
    if (ranks.rank() == teller) {
      EXPECT_THAT(outcome.line, testing::HasSubstr(part));
      EXPECT_THAT(outcome.line, testing::Not(testing::HasSubstr("\n")));
    } else {
      EXPECT_EQ(outcome.line, "");
    }
  });
}

NcclConfig own_gpu(std::size_t rank) {
  return {.gpu = 100 + rank, .patience_seconds = 20};
}

NcclConfig one_gpu(std::size_t) {
  return {.gpu = 100, .patience_seconds = 20};
}

TEST_F(NcclReducer, sums_over_all_ranks) {
  for (const std::size_t ranks : {1, 2, 3, 4}) {
    run_on_threads(ranks, [](Communicator& communicator) {
      const auto reducer = make(communicator);
      EXPECT_EQ(reducer->description(), nccl_description());
      for (const std::size_t n : {1, 7, 21'418, 3}) expect_sums(communicator, *reducer, n);
      communicator.barrier();
    });
  }
}

TEST_F(NcclReducer, sums_wrap) {
  run_on_threads(2, [](Communicator& ranks) {
    const auto reducer = make(ranks);
    Stream stream;
    std::int64_t value = std::numeric_limits<std::int64_t>::max();
    reducer->all_reduce(&value, 1, stream.handle());
    synchronise(*reducer, stream);
    EXPECT_EQ(value, -2);
    ranks.barrier();
  });
}

TEST_F(NcclReducer, several_sums_may_be_enqueued_at_once) {
  run_on_threads(3, [](Communicator& ranks) {
    const auto reducer = make(ranks);
    Stream stream;
    std::vector<std::int64_t> values{1, 10, 100, 1000};
    for (auto& value : values) reducer->all_reduce(&value, 1, stream.handle());
    synchronise(*reducer, stream);
    EXPECT_THAT(values, testing::ElementsAre(3, 30, 300, 3000));
    ranks.barrier();
  });
}

TEST_F(NcclReducer, an_asynchronous_error_is_a_lost_rank_and_the_sum_ends) {
  run_on_threads(2, [](Communicator& ranks) {
    const auto reducer = make(ranks);
    if (ranks.rank() == 0) {
      Stream stream;
      std::int64_t value = 1;
      reducer->all_reduce(&value, 1, stream.handle());
      nccl_stand_in::fail(0, ncclRemoteError);
      const auto outcome = outcome_of([&] { synchronise(*reducer, stream); });
      EXPECT_TRUE(outcome.lost);
      EXPECT_EQ(outcome.line,
                "a sum by NCCL failed on rank 0: remote process exited or there was a network "
                "error (no route to host); start the run again, with --comm mpi if it fails again");
      EXPECT_EQ(stream.pending, 1);
      reducer->abort();
      EXPECT_EQ(stream.pending, 0);
    }
    ranks.barrier();
  });
}

TEST_F(NcclReducer, what_is_enqueued_after_an_error_is_a_lost_rank) {
  run_on_threads(1, [](Communicator& ranks) {
    const auto reducer = make(ranks);
    Stream stream;
    std::int64_t value = 1;
    nccl_stand_in::fail(0, ncclSystemError);
    EXPECT_THROW(reducer->all_reduce(&value, 1, stream.handle()), RankLost);
    reducer->abort();
    EXPECT_THROW(reducer->all_reduce(&value, 1, stream.handle()), RankLost);
    EXPECT_THROW(reducer->check(), RankLost);
  });
}

TEST_F(NcclReducer, goes_on_with_the_ranks_that_are_left) {
  for (const std::size_t size : {2, 3, 4}) {
    std::atomic<int> survivors = 0;
    std::atomic<std::size_t> waiting = 0;
    run_on_threads(size, [&](Communicator& ranks) {
      const auto reducer = make(ranks);
      while (ranks.size() > 1) {
        expect_sums(ranks, *reducer, 100);
        ranks.barrier();
        if (ranks.rank() == ranks.size() / 2) {
          while (waiting < ranks.size() - 1) std::this_thread::yield();
          waiting = 0;
          throw RankDeath();
        }
        Stream stream;
        std::int64_t value = 1;
        reducer->all_reduce(&value, 1, stream.handle());
        ++waiting;
        // NCCL itself says nothing where a neighbour on the same host dies.
        EXPECT_TRUE(outcome_of([&] { synchronise(*reducer, stream); }).lost);
        EXPECT_EQ(stream.pending, 1);
        reducer->abort();
        EXPECT_EQ(stream.pending, 0);
        EXPECT_EQ(ranks.recover().size(), 1);
        reducer->renew(ranks);
      }
      expect_sums(ranks, *reducer, 100);
      ++survivors;
    });
    EXPECT_EQ(survivors, 1);
  }
}

/// The calls that a rank makes before it joins.
void begin_to_make(Communicator& ranks) {
  std::vector<std::int64_t> table(3 * ranks.size());
  table[3 * ranks.rank()] = NCCL_VERSION_CODE;
  all_reduce_checked(ranks, table);
  agree(ranks, [] {});
  std::vector<std::byte> id(NCCL_UNIQUE_ID_BYTES);
  ranks.broadcast(id, 0);
}

TEST_F(NcclReducer, a_rank_that_dies_while_they_join_is_lost) {
  run_on_threads(3, [](Communicator& ranks) {
    if (ranks.rank() == 1) {
      begin_to_make(ranks);
      throw RankDeath();
    }
    EXPECT_TRUE(outcome_of([&] { make(ranks); }).lost);
    EXPECT_THAT(ranks.recover(), testing::ElementsAre(1));
    const auto reducer = make(ranks);
    expect_sums(ranks, *reducer, 10);
    ranks.barrier();
  });
}

TEST_F(NcclReducer, a_rank_that_hangs_while_they_join_ends_all_with_one_line) {
  nccl_stand_in::behaviour().on_join = [](int rank) {
    if (rank == 2) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  };
  expect_refusal(0, ExitCode::lost_rank, "rank 0 waited 0.02 s", [](std::size_t rank) {
    return NcclConfig{.gpu = 100 + rank, .patience_seconds = 0.02};
  });
}

TEST_F(NcclReducer, a_failure_before_they_join_is_told_once) {
  nccl_stand_in::behaviour().unique_id = ncclSystemError;
  expect_refusal(0, ExitCode::lost_rank, "ncclGetUniqueId failed on rank 0: unhandled system error",
                 own_gpu);
}

TEST_F(NcclReducer, two_ranks_on_one_gpu_are_refused) {
  expect_refusal(0, ExitCode::usage, "ranks 0 and 1 are on one GPU", one_gpu);
}

TEST_F(NcclReducer, two_ranks_on_one_gpu_want_a_new_nccl_even_if_they_are_asked_for) {
  ::setenv("NCCL_MULTI_RANK_GPU_ENABLE", "1", 1);
  nccl_stand_in::behaviour().version = [] { return NCCL_VERSION(2, 29, 9); };
  expect_refusal(0, ExitCode::usage, "NCCL 2.29.9 does not take", one_gpu);
}

TEST_F(NcclReducer, two_ranks_on_one_gpu_are_taken_by_a_new_nccl_if_they_are_asked_for) {
  ::setenv("NCCL_MULTI_RANK_GPU_ENABLE", "1", 1);
  nccl_stand_in::behaviour().version = [] { return NCCL_VERSION(2, 30, 7); };
  run_on_threads(2, [](Communicator& ranks) {
    const auto reducer = make_nccl_reducer(ranks, one_gpu(0));
    expect_sums(ranks, *reducer, 10);
    ranks.barrier();
  });
}

thread_local int version_here = NCCL_VERSION_CODE;

TEST_F(NcclReducer, ranks_with_different_versions_are_refused) {
  nccl_stand_in::behaviour().version = [] { return version_here; };
  expect_refusal(0, ExitCode::usage, "rank 0 has NCCL 2.", [](std::size_t rank) {
    if (rank == 2) version_here = NCCL_VERSION(2, 99, 1);
    return own_gpu(rank);
  });
}

TEST_F(NcclReducer, a_library_older_than_its_header_is_refused) {
  nccl_stand_in::behaviour().version = [] { return NCCL_VERSION(2, 13, 4); };
  expect_refusal(0, ExitCode::usage, "found here is 2.13.4, older than the 2.", own_gpu);
}

}  // namespace
}  // namespace lockstep
