#include "comm_behaviour.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/error.hpp>

namespace lockstep {

namespace {

constexpr std::size_t sizes[] = {0, 1, 2, 7, 21'386, 100'003};

/// A full-width value of its own for each rank and place.
std::uint64_t value_at(std::size_t rank, std::size_t place) {
  const std::uint64_t mixed = (rank + 1) * 0x9E3779B97F4A7C15 + place * 0xD1B54A32D192ED03;
  return (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9;
}

std::int64_t sum_at(std::size_t ranks, std::size_t place) {
  std::uint64_t sum = 0;
  for (std::size_t rank = 0; rank < ranks; ++rank) sum += value_at(rank, place);
  return static_cast<std::int64_t>(sum);
}

std::int64_t sum_over_ranks(Communicator& communicator, std::int64_t value) {
  communicator.all_reduce({&value, 1});
  return value;
}

void ranks_are_numbered(Communicator& communicator) {
  std::vector<std::int64_t> seen(communicator.size(), 0);
  ASSERT_LT(communicator.rank(), communicator.size());
  seen[communicator.rank()] = 1;
  communicator.all_reduce(seen);
  EXPECT_THAT(seen, testing::Each(1));
  EXPECT_FALSE(communicator.description().empty());
  EXPECT_EQ(communicator.description().find_first_of("\n,"), std::string::npos);
}

/// How many places of a sum of `size` values, counted from `begin`, are wrong.
std::size_t wrong_sums(Communicator& communicator, std::size_t begin, std::size_t size) {
  std::vector<std::int64_t> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<std::int64_t>(value_at(communicator.rank(), begin + i));
  }
  communicator.all_reduce(values);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < size; ++i) {
    wrong += values[i] != sum_at(communicator.size(), begin + i);
  }
  return wrong;
}

void sums_have_every_rank_and_place(Communicator& communicator) {
  for (const std::size_t size : sizes) EXPECT_EQ(wrong_sums(communicator, 0, size), 0) << size;
}

void sums_wrap(Communicator& communicator) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
  std::int64_t values[] = {largest, smallest, -1};
  communicator.all_reduce(values);
  const auto ranks = static_cast<std::uint64_t>(communicator.size());
  EXPECT_EQ(static_cast<std::uint64_t>(values[0]), ranks * static_cast<std::uint64_t>(largest));
  EXPECT_EQ(static_cast<std::uint64_t>(values[1]), ranks * static_cast<std::uint64_t>(smallest));
  EXPECT_EQ(values[2], -static_cast<std::int64_t>(ranks));
}

void many_small_sums_stay_apart(Communicator& communicator) {
  std::size_t wrong = 0;
  for (std::size_t round = 0; round < 500; ++round) wrong += wrong_sums(communicator, 2 * round, 2);
  EXPECT_EQ(wrong, 0);
}

void every_rank_can_broadcast(Communicator& communicator) {
  for (std::size_t root = 0; root < communicator.size(); ++root) {
    for (const std::size_t size : sizes) {
      const auto byte = [&](std::size_t rank, std::size_t i) {
        return static_cast<std::byte>(value_at(rank, i) >> 56);
      };
      std::vector<std::byte> bytes(size);
      for (std::size_t i = 0; i < size; ++i) bytes[i] = byte(communicator.rank(), i);
      communicator.broadcast(bytes, root);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < size; ++i) wrong += bytes[i] != byte(root, i);
      EXPECT_EQ(wrong, 0) << "of " << size << " from rank " << root;
    }
  }
}

void nobody_passes_a_barrier_early(Communicator& communicator) {
  // One clock serves all ranks of a machine: nobody may be out before the last one is in.
  for (std::size_t late = 0; late < communicator.size(); ++late) {
    if (communicator.rank() == late) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
    std::vector<std::int64_t> entered(communicator.size(), 0);
    entered[communicator.rank()] = now();
    communicator.barrier();
    const std::int64_t out = now();
    communicator.all_reduce(entered);
    EXPECT_THAT(entered, testing::Each(testing::Le(out))) << "rank " << late << " was late";
  }
}

void settle_is_a_barrier(Communicator& communicator) {
  for (int round = 0; round < 20; ++round) communicator.settle();
  EXPECT_EQ(sum_over_ranks(communicator, 1), static_cast<std::int64_t>(communicator.size()));
}

void checked_sums_are_sums(Communicator& communicator) {
  std::vector<std::int64_t> values(7);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::int64_t>(value_at(communicator.rank(), i));
  }
  all_reduce_checked(communicator, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], sum_at(communicator.size(), i));
  }
}

void first_ranks_form_a_group(Communicator& communicator) {
  const std::size_t rank = communicator.rank();
  for (std::size_t count = 1; count <= communicator.size(); ++count) {
    const auto part = communicator.first(count);
    ASSERT_EQ(part != nullptr, rank < count);
    if (!part) continue;
    EXPECT_EQ(part->rank(), rank);
    EXPECT_EQ(part->size(), count);
    EXPECT_EQ(part->name(), communicator.name());
    std::int64_t value = static_cast<std::int64_t>(value_at(rank, count));
    part->all_reduce({&value, 1});
    EXPECT_EQ(value, sum_at(count, count));
  }
  // The whole is still of use, and groups made of groups are groups.
  EXPECT_EQ(sum_over_ranks(communicator, 1), static_cast<std::int64_t>(communicator.size()));
  const auto all = communicator.first(communicator.size());
  const auto one = all->first(1);
  EXPECT_EQ(one != nullptr, rank == 0);
}

/// What agree() throws here.
struct Outcome {
  std::optional<ExitCode> code;
  std::string line;
};

Outcome outcome_of(Communicator& communicator, const std::function<void()>& work) {
  try {
    agree(communicator, work);
    return {};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

void agree_is_silent_on_success(Communicator& communicator) {
  bool done = false;
  EXPECT_FALSE(outcome_of(communicator, [&] { done = true; }).code);
  EXPECT_TRUE(done);
}

void agree_tells_the_lowest_failure_once(Communicator& communicator) {
  const std::size_t rank = communicator.rank();
  for (std::size_t lowest = 0; lowest < communicator.size(); ++lowest) {
    const auto outcome = outcome_of(communicator, [&] {
      if (rank == lowest) throw Error(ExitCode::data, "the lowest");
      if (rank > lowest) throw Error(ExitCode::store, "a higher one");
    });
    EXPECT_EQ(outcome.code, ExitCode::data) << "lowest " << lowest;
    EXPECT_EQ(outcome.line, rank == lowest ? "the lowest" : "") << "lowest " << lowest;
  }
  // No call is out of step afterwards.
  EXPECT_EQ(sum_over_ranks(communicator, 1), static_cast<std::int64_t>(communicator.size()));
}

void agree_keeps_what_is_no_error(Communicator& communicator) {
  const std::size_t last = communicator.size() - 1;
  const auto work = [&] {
    if (communicator.rank() == last) throw std::out_of_range("a mistake");
  };
  if (communicator.rank() == last) {
    EXPECT_THROW(agree(communicator, work), std::out_of_range);
  } else {
    const auto outcome = outcome_of(communicator, work);
    EXPECT_EQ(outcome.code, ExitCode::internal);
    EXPECT_EQ(outcome.line, "");
  }
}

}  // namespace

const std::vector<CommBehaviour>& comm_behaviours() {
  static const std::vector<CommBehaviour> all = {
      {"ranks_are_numbered", ranks_are_numbered},
      {"sums_have_every_rank_and_place", sums_have_every_rank_and_place},
      {"sums_wrap", sums_wrap},
      {"many_small_sums_stay_apart", many_small_sums_stay_apart},
      {"every_rank_can_broadcast", every_rank_can_broadcast},
      {"nobody_passes_a_barrier_early", nobody_passes_a_barrier_early},
      {"settle_is_a_barrier", settle_is_a_barrier},
      {"checked_sums_are_sums", checked_sums_are_sums},
      {"first_ranks_form_a_group", first_ranks_form_a_group},
      {"agree_is_silent_on_success", agree_is_silent_on_success},
      {"agree_tells_the_lowest_failure_once", agree_tells_the_lowest_failure_once},
      {"agree_keeps_what_is_no_error", agree_keeps_what_is_no_error},
  };
  return all;
}

}  // namespace lockstep
