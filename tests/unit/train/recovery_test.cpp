// Ranks die at calls all over a run, as threads of this process: the same weights come out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lockstep/core/error.hpp>
#include <lockstep/train/run.hpp>

#include "../temporary_folder.hpp"
#include "made_digits.hpp"
#include "mortal.hpp"
#include "recovery.hpp"

namespace lockstep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t never = ~std::size_t{0};
constexpr std::uint64_t steps = 22;

RunConfig small_run() {
  RunConfig config = made_digits();
  config.recipe.hidden = 4;
  config.recipe.batch_size = 500;  // 11 steps an epoch
  config.recipe.epochs = 2;
  config.recipe.shards = 4;
  return config;
}

/// What the survivors say, and how many calls rank 0 made.
struct Outcome {
  std::vector<Summary> summaries;
  std::size_t calls = 0;
};

/// `deaths`: by rank, the call at which it dies.
Outcome run(const RunConfig& config, std::size_t ranks, std::map<std::size_t, std::size_t> deaths) {
  Outcome outcome;
  std::mutex mutex;
  run_on_threads(ranks, [&](Communicator& world) {
    const auto death = deaths.find(world.rank());
    Mortal mortal(world, death == deaths.end() ? never : death->second);
    const Summary own = run_training(config, mortal);
    const std::lock_guard lock(mutex);
    outcome.summaries.push_back(own);
    outcome.calls = mortal.calls();
  });
  return outcome;
}

std::vector<std::uint64_t> metric_steps(const std::filesystem::path& run) {
  std::ifstream file(run / "metrics.jsonl");
  std::vector<std::uint64_t> found;
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row["kind"] == "step") found.push_back(row["step"]);
  }
  return found;
}

TEST(Recovery, a_death_at_any_moment_changes_no_bit) {
  testing::internal::CaptureStdout();
  const Outcome whole = run(small_run(), 3, {});
  for (std::size_t call = 0; call < whole.calls; call += 2) {
    const Outcome broken = run(small_run(), 3, {{call % 3, call}});
    ASSERT_GE(broken.summaries.size(), 2u) << call;
    for (const Summary& summary : broken.summaries) {
      EXPECT_EQ(summary.weights_sha256, whole.summaries[0].weights_sha256) << call;
      EXPECT_EQ(summary.test_loss, whole.summaries[0].test_loss) << call;
      EXPECT_EQ(summary.validation_loss, whole.summaries[0].validation_loss) << call;
      EXPECT_EQ(summary.ranks_lost, 1u) << call;
      EXPECT_EQ(summary.world_size, 2u) << call;
    }
  }
  testing::internal::GetCapturedStdout();
}

TEST(Recovery, goes_on_down_to_one_rank_also_when_ranks_die_in_it) {
  testing::internal::CaptureStdout();
  const Outcome whole = run(small_run(), 4, {});
  for (std::size_t call = 1; call < whole.calls; call += 9) {
    const Outcome broken = run(small_run(), 4, {{0, call}, {3, call + 2}, {1, call + 5}});
    ASSERT_GE(broken.summaries.size(), 1u) << call;
    for (const Summary& summary : broken.summaries) {
      EXPECT_EQ(summary.weights_sha256, whole.summaries[0].weights_sha256) << call;
    }
  }
  testing::internal::GetCapturedStdout();
}

TEST(Recovery, a_new_rank_0_leaves_no_gap_and_no_double_row_in_the_metrics) {
  testing::internal::CaptureStdout();
  std::vector<std::uint64_t> all(steps);
  for (std::uint64_t i = 0; i < steps; ++i) all[i] = i + 1;
  const Outcome whole = run(small_run(), 2, {});
  for (std::size_t call = 8; call < whole.calls; call += 9) {
    const TemporaryFolder folder;
    RunConfig config = small_run();
    config.out = folder.path() / "run";
    config.checkpoints.every = 3;
    const Outcome broken = run(config, 2, {{0, call}});
    ASSERT_EQ(broken.summaries.size(), 1u);
    EXPECT_EQ(metric_steps(config.out), all) << call;
    EXPECT_TRUE(std::filesystem::exists(config.out / "summary.json")) << call;
  }
  testing::internal::GetCapturedStdout();
}

TEST(Recovery, a_new_rank_0_that_dies_at_once_leaves_no_gap_in_the_metrics) {
  std::vector<std::uint64_t> all(steps);
  for (std::uint64_t i = 0; i < steps; ++i) all[i] = i + 1;
  for (std::size_t later = 16; later <= 24; later += 2) {  // while rank 1 takes over
    const TemporaryFolder folder;
    RunConfig config = small_run();
    config.out = folder.path() / "run";
    config.checkpoints.every = 3;
    testing::internal::CaptureStdout();
    run(config, 2, {{0, 30}, {1, 30 + later}});
    run(config, 2, {});
    testing::internal::GetCapturedStdout();
    EXPECT_EQ(metric_steps(config.out), all) << later;
  }
}

/// Which ranks the lines "Lost rank 2 (...)" and "Lost ranks 0 (...), 2 (...)" name.
std::set<std::size_t> ranks_named(const std::string& said) {
  std::set<std::size_t> named;
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find(" after step");
    if (line.find("Lost rank") == std::string::npos || end == std::string::npos) continue;
    for (std::size_t at = line.find(" ("); at < end; at = line.find(" (", at + 1)) {
      const std::size_t begin = line.find_last_not_of("0123456789", at - 1) + 1;
      named.insert(std::stoul(line.substr(begin, at - begin)));
    }
  }
  return named;
}

TEST(Recovery, two_losses_close_together_are_both_told_and_counted) {
  testing::internal::CaptureStdout();
  const std::size_t calls = run(small_run(), 4, {}).calls;
  testing::internal::GetCapturedStdout();
  RunConfig config = small_run();
  config.console.quiet = false;
  for (const std::size_t call : {std::size_t{2}, calls / 2}) {
    for (std::size_t later = 1; later <= 8; ++later) {
      testing::internal::CaptureStdout();
      const Outcome broken = run(config, 4, {{2, call}, {0, call + later}});
      const std::string said = testing::internal::GetCapturedStdout();
      EXPECT_EQ(ranks_named(said), (std::set<std::size_t>{0, 2})) << call << ' ' << later << said;
      for (const Summary& summary : broken.summaries) {
        EXPECT_EQ(summary.ranks_lost, 2u) << call << ' ' << later;
        EXPECT_EQ(summary.world_size, 2u) << call << ' ' << later;
      }
    }
  }
}

TEST(Recovery, what_happened_is_kept_until_rank_0_is_known_to_have_told_it) {
  run_on_threads(4, [](Communicator& world) {
    const std::size_t number = world.rank();
    Recovery recovery(world);
    Standing standing;
    recovery.agree_on(standing);
    const auto lose = [&](std::size_t lost) {
      if (number == lost) throw RankDeath();
      try {
        world.barrier();
      } catch (const RankLost& cause) {
        recovery.leave(cause.what());
      }
      recovery.agree_on(standing);
    };
    lose(2);
    EXPECT_THAT(recovery.happened(), ElementsAre(HasSubstr("Lost rank 2 (")));
    lose(0);  // before it has told
    EXPECT_THAT(recovery.happened(),
                ElementsAre(AllOf(HasSubstr("Lost ranks 2 ("), HasSubstr(", 0 ("))));
    recovery.forget();
    EXPECT_THAT(recovery.happened(), IsEmpty());
    EXPECT_EQ(recovery.ranks_lost(), 2u);
  });
}

RunConfig with(const std::string& faults) {
  RunConfig config = small_run();
  config.faults = parse_faults(faults);
  return config;
}

TEST(Recovery, a_wrong_sum_is_found_and_the_step_done_again) {
  testing::internal::CaptureStdout();
  const std::string right = run(small_run(), 3, {}).summaries[0].weights_sha256;
  for (const Summary& summary :
       run(with("rank=1,step=5,kind=wrong-sum:rank=0,step=22,kind=wrong-sum"), 3, {}).summaries) {
    EXPECT_EQ(summary.weights_sha256, right);
    EXPECT_EQ(summary.ranks_lost, 0u);
  }
  testing::internal::GetCapturedStdout();
}

TEST(Recovery, a_flipped_bit_is_healed_by_the_majority_or_from_the_start) {
  const std::string right = run(small_run(), 3, {}).summaries[0].weights_sha256;
  for (const std::size_t ranks : {2, 3, 4}) {
    testing::internal::CaptureStdout();
    RunConfig config = with("rank=1,step=5,kind=flip:rank=0,step=12,kind=flip");
    config.console.quiet = false;
    for (const Summary& summary : run(config, ranks, {}).summaries) {
      EXPECT_EQ(summary.weights_sha256, right) << ranks;
    }
    const std::string said = testing::internal::GetCapturedStdout();
    EXPECT_NE(said.find(ranks == 2 ? "no majority is right, all went back" : "after step 5"),
              std::string::npos)
        << said;
  }
}

// The furthest is then the one whose state is wrong.
TEST(Recovery, a_state_that_only_one_rank_has_is_not_taken_over) {
  const std::string right = run(small_run(), 3, {}).summaries[0].weights_sha256;
  for (const char* flip :
       {"step=5,kind=flip", "step=5,kind=flip-moment", "step=4,kind=flip-moment"}) {
    for (const std::size_t ranks : {2u, 3u, 4u}) {
      std::string faults = fmt::format("rank=0,{}", flip);
      for (std::size_t rank = 1; rank < ranks; ++rank) {
        faults += fmt::format(":rank={},step=5,kind=wrong-sum", rank);
      }
      testing::internal::CaptureStdout();
      for (const Summary& summary : run(with(faults), ranks, {}).summaries) {
        EXPECT_EQ(summary.weights_sha256, right) << faults;
      }
      testing::internal::GetCapturedStdout();
    }
  }
}

/// Dies in the sum of this step's gradient.
class MortalInStep final : public ForwardingCommunicator {
 public:
  MortalInStep(Communicator& inner, std::uint64_t step)
      : ForwardingCommunicator(inner), left_(step) {}

  using ForwardingCommunicator::all_reduce;
  void all_reduce(std::span<std::int64_t> values) override {
    constexpr std::size_t more_than_others = 150;
    if (values.size() > more_than_others && --left_ == 0) throw RankDeath();
    ForwardingCommunicator::all_reduce(values);
  }

 private:
  std::uint64_t left_;
};

TEST(Recovery, the_state_of_the_last_rank_is_given_up_as_nobody_can_confirm_it) {
  const std::string right = run(small_run(), 2, {}).summaries[0].weights_sha256;
  for (const char* flip : {"step=14,kind=flip", "step=13,kind=flip-moment"}) {
    std::size_t ended = 0;
    testing::internal::CaptureStdout();
    run_on_threads(2, [&](Communicator& world) {
      MortalInStep mortal(world, world.rank() == 1 ? 15 : never);
      const Summary summary = run_training(with(fmt::format("rank=0,{}", flip)), mortal);
      EXPECT_EQ(summary.weights_sha256, right) << flip;
      ++ended;
    });
    testing::internal::GetCapturedStdout();
    EXPECT_EQ(ended, 1u);
  }
}

}  // namespace
}  // namespace lockstep
