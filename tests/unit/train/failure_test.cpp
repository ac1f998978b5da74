// A rank that fails by itself, as threads of this process: all ranks end with it, and none goes on
// with a smaller group.
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include <lockstep/comm/forwarding_communicator.hpp>
#include <lockstep/train/run.hpp>

#include "../temporary_folder.hpp"
#include "made_digits.hpp"

namespace lockstep {
namespace {

RunConfig small_run() {
  RunConfig config = made_digits();
  config.recipe.hidden = 4;
  config.recipe.batch_size = 500;  // 11 steps an epoch
  config.recipe.epochs = 2;
  config.recipe.shards = 4;
  return config;
}

/// An MPI without fault tolerance.
class Unrecoverable final : public ForwardingCommunicator {
 public:
  using ForwardingCommunicator::ForwardingCommunicator;
  bool can_recover() const noexcept override { return false; }
};

/// How many ranks ended with each exit code. One that ends by an error is gone, as its process
/// would be.
std::map<ExitCode, std::size_t> ends(const RunConfig& config, std::size_t ranks,
                                     bool can_recover = true) {
  std::map<ExitCode, std::size_t> found;
  std::mutex mutex;
  run_on_threads(ranks, [&](Communicator& world) {
    ExitCode code = ExitCode::done;
    Unrecoverable unrecoverable(world);
    try {
      run_training(config, can_recover ? world : unrecoverable);
    } catch (...) {
      code = exit_code_of(std::current_exception());
    }
    {
      const std::lock_guard lock(mutex);
      ++found[code];
    }
    if (code != ExitCode::done) throw RankDeath();
  });
  return found;
}

using Ends = std::map<ExitCode, std::size_t>;

TEST(Failure, of_one_rank_at_any_step_ends_all_with_its_exit_code) {
  for (const std::size_t ranks : {2u, 3u, 4u}) {
    for (const char* fault : {"rank=0,step=1,kind=error", "rank=1,step=11,kind=error",
                              "rank=1,step=12,kind=error", "rank=0,step=22,kind=error"}) {
      RunConfig config = small_run();
      config.faults = parse_faults(fault);
      EXPECT_EQ(ends(config, ranks), (Ends{{ExitCode::internal, ranks}})) << ranks << fault;
    }
  }
}

TEST(Failure, while_another_rank_recovers_ends_all_that_are_left) {
  RunConfig config = small_run();
  config.faults = parse_faults("rank=2,step=5,kind=wrong-sum:rank=1,step=6,kind=error");
  EXPECT_EQ(ends(config, 4), (Ends{{ExitCode::internal, 4}}));
}

TEST(Failure, of_who_watches_the_last_epoch_ends_all) {
  for (const std::size_t epoch : {1u, 2u}) {
    RunConfig config = small_run();
    config.on_epoch = [epoch](std::size_t now, std::span<const float>) {
      if (now == epoch) throw Error(ExitCode::store, "the disk is full");
    };
    EXPECT_EQ(ends(config, 3), (Ends{{ExitCode::store, 3}})) << epoch;
    EXPECT_EQ(ends(config, 3, false), (Ends{{ExitCode::store, 3}})) << epoch;
  }
}

TEST(Failure, that_is_no_error_of_lockstep_ends_all_as_internal) {
  RunConfig config = small_run();
  config.on_epoch = [](std::size_t, std::span<const float>) { throw std::out_of_range("a bug"); };
  EXPECT_EQ(ends(config, 3), (Ends{{ExitCode::internal, 3}}));
}

TEST(Failure, that_all_ranks_share_is_thrown_once_with_its_line) {
  RunConfig config = small_run();
  config.recipe.shards = 2;
  try {
    run_on_threads(3, [&](Communicator& world) { run_training(config, world); });
    ADD_FAILURE() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_STRNE(error.what(), "");
  }
}

}  // namespace
}  // namespace lockstep
