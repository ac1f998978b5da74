// Bits flip in a rank's memory all over a run, as threads of this process: no wrong state is saved
// or passed on, and the undisturbed weights come out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include <lockstep/train/checkpoint.hpp>
#include <lockstep/train/model_file.hpp>

#include "../temporary_folder.hpp"
#include "checkpoint_folder.hpp"
#include "job.hpp"
#include "made_digits.hpp"
#include "whole_run.hpp"

namespace lockstep {
namespace {

using testing::AnyOfArray;
using testing::Each;
using testing::HasSubstr;

constexpr std::uint64_t steps = 22;

RunConfig small_run(const std::string& faults = "none") {
  RunConfig config = made_digits();
  config.recipe.hidden = 4;
  config.recipe.batch_size = 500;  // 11 steps an epoch
  config.recipe.epochs = 2;
  config.recipe.shards = 4;
  config.faults = parse_faults(faults);
  return config;
}

/// The same, with all its checkpoints in `folder`.
RunConfig saved_run(const TemporaryFolder& folder, const std::string& faults = "none") {
  RunConfig config = small_run(faults);
  config.out = folder.path() / "run";
  config.checkpoints = {.every = 3, .keep = 100};
  return config;
}

std::string silently(const RunConfig& config, std::size_t ranks) {
  testing::internal::CaptureStdout();
  const std::string hash = run(config, ranks).weights_sha256;
  testing::internal::GetCapturedStdout();
  return hash;
}

/// After every step.
std::vector<TrainingState> right_states() {
  const auto world = make_local_communicator();
  const RunConfig config = small_run();
  Job job(config, *world);
  std::vector<TrainingState> states;
  for (std::uint64_t step = 1; step <= steps; ++step) {
    job.replica().step(step, {});
    states.push_back(job.replica().state());
  }
  return states;
}

// A checkpoint gives way to the next where that comes before it is written: slow steps let it be.
const std::string slow = "rank=0,step=1,kind=slow";

std::vector<TrainingState> saved_states(const RunConfig& config) {
  std::vector<TrainingState> states;
  for (const auto& path : CheckpointFolder(config.out, 1).newest_first()) {
    states.push_back(read_checkpoint(path).state);
  }
  return states;
}

TEST(FlippedBit, at_a_checkpoint_is_not_saved) {
  const std::vector<TrainingState> states = right_states();
  const std::string hash = weights_sha256(states.back().parameters);
  for (const std::size_t ranks : {2u, 3u}) {
    for (const char* kind : {"flip", "flip-moment", "flip-moment,place=300"}) {
      const TemporaryFolder folder;
      const RunConfig config =
          saved_run(folder, fmt::format("{}:rank=0,step=6,kind={}", slow, kind));
      EXPECT_EQ(silently(config, ranks), hash) << ranks << kind;
      EXPECT_THAT(saved_states(config), Each(AnyOfArray(states))) << ranks << kind;
    }
  }
}

TEST(FlippedBit, after_the_last_step_is_not_written_as_the_model) {
  const std::string hash = silently(small_run(), 1);
  for (const std::size_t ranks : {2u, 3u, 4u}) {
    for (const std::uint64_t step : {steps - 1, steps}) {
      const TemporaryFolder folder;
      const RunConfig config = saved_run(folder, fmt::format("rank=0,step={},kind=flip", step));
      EXPECT_EQ(silently(config, ranks), hash) << ranks << ' ' << step;
      const Model model = read_model(config.out / "model.safetensors");
      EXPECT_EQ(weights_sha256(model.parameters.span()), hash) << ranks << ' ' << step;
    }
  }
}

TEST(FlippedBit, in_the_moments_is_found_wherever_it_is) {
  const std::string hash = silently(small_run(), 1);
  for (const std::size_t ranks : {2u, 3u}) {
    for (const char* place : {"0,bit=31", "7,bit=30", "250,bit=0", "700,bit=22"}) {
      const std::string fault = fmt::format("rank=1,step=14,kind=flip-moment,place={}", place);
      EXPECT_EQ(silently(small_run(fault), ranks), hash) << ranks << ' ' << place;
    }
  }
}

TEST(FlippedBit, that_makes_a_value_infinite_is_told_from_a_training_that_diverges) {
  const std::string hash = silently(small_run(), 1);
  for (const std::size_t ranks : {2u, 3u}) {
    EXPECT_EQ(silently(small_run("rank=1,step=8,kind=nan"), ranks), hash);
    EXPECT_EQ(silently(small_run("rank=1,step=8,kind=flip,bit=30"), ranks), hash);
  }
  try {
    silently(small_run("rank=0,step=8,kind=nan:rank=1,step=8,kind=nan"), 2);
    ADD_FAILURE() << "did not throw";
  } catch (const Error& error) {
    testing::internal::GetCapturedStdout();
    EXPECT_EQ(error.code(), ExitCode::non_finite);
    EXPECT_THAT(error.what(), HasSubstr("non-finite at step 8"));
  }
}

TEST(FlippedBit, in_a_reduced_block_is_found_wherever_it_is) {
  const std::string hash = silently(small_run(), 1);
  for (const char* place : {"0,bit=63", "100,bit=0", "219,bit=5", "228,bit=40", "240,bit=1"}) {
    const std::string fault = fmt::format("rank=0,step=22,kind=wrong-sum,place={}", place);
    EXPECT_EQ(silently(small_run(fault), 3), hash) << place;
  }
}

// No rank can find it: all take the same wrong step. The rehearsals count how often that matters.
TEST(FlippedBit, in_a_gradient_before_its_checksum_changes_the_weights_of_all_ranks) {
  const std::string hash = silently(small_run(), 1);
  for (const std::size_t ranks : {2u, 3u}) {
    EXPECT_NE(silently(small_run("rank=1,step=8,kind=flip-gradient,bit=40"), ranks), hash);
  }
}

TEST(FlippedBit, in_a_checkpoint_file_is_found_when_it_is_gone_back_to) {
  const std::string hash = silently(small_run(), 1);
  for (const int place : {3, 500, 2000}) {
    const std::string faults = fmt::format(
        "{}:rank=0,step=9,kind=flip-checkpoint,place={}:rank=1,step=10,kind=flip", slow, place);
    const TemporaryFolder folder;
    EXPECT_EQ(silently(saved_run(folder, faults), 2), hash) << place;
  }
}

TEST(FlippedBit, time_and_again_before_the_next_checkpoint_ends_the_run) {
  std::string faults;
  for (int step = 12; step <= 15; ++step) {
    faults += fmt::format("{}rank={},step={},kind=flip", faults.empty() ? "" : ":", step % 2, step);
  }
  const std::string hash = silently(small_run(), 1);
  // Without a folder it goes back to the start, where the faults are over.
  try {
    silently(small_run(faults), 2);
    ADD_FAILURE() << "did not throw";
  } catch (const Error& error) {
    testing::internal::GetCapturedStdout();
    EXPECT_EQ(error.code(), ExitCode::lost_rank);
    EXPECT_THAT(error.what(), HasSubstr("to step 0 for the 4th time"));
  }
  EXPECT_EQ(silently(small_run(faults), 3), hash);  // the majority knows
}

}  // namespace
}  // namespace lockstep
