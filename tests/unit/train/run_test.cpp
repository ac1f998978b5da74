// Whole runs on made digits, as threads of this process: the promise in small.
#include <lockstep/train/run.hpp>

#include <gtest/gtest.h>

#include <lockstep/core/error.hpp>
#include <lockstep/train/stop.hpp>

#include "made_digits.hpp"
#include "whole_run.hpp"

namespace lockstep {
namespace {

RunConfig small_run() {
  RunConfig config = made_digits();
  config.recipe.hidden = 20;
  config.recipe.epochs = 1;
  config.recipe.schedule.learning_rate = 0.01;
  return config;
}

TEST(Run, every_number_of_ranks_and_threads_gives_the_same_weights_and_scores) {
  const Summary expected = run(small_run(), 1);
  EXPECT_GT(expected.test_accuracy, 0.2);  // ten classes: it has learned
  for (const std::size_t ranks : {2u, 3u, 4u, 7u, 16u}) {
    RunConfig config = small_run();
    config.threads = ranks == 3 ? 2 : 1;
    config.evaluate = ranks == 4 ? EvaluateOn::all : EvaluateOn::rank0;
    const Summary found = run(config, ranks);
    EXPECT_EQ(found.weights_sha256, expected.weights_sha256) << ranks;
    EXPECT_EQ(found.test_loss, expected.test_loss) << ranks;
    EXPECT_EQ(found.validation_accuracy, expected.validation_accuracy) << ranks;
  }
}

TEST(Run, uneven_shares_give_the_same_weights_too) {
  RunConfig config = small_run();
  config.recipe.batch_size = 100;
  config.recipe.shards = 7;
  const Summary expected = run(config, 1);
  EXPECT_EQ(run(config, 3).weights_sha256, expected.weights_sha256);
  config.engine.name = "reference";
  EXPECT_EQ(run(config, 2).weights_sha256, expected.weights_sha256);
}

TEST(Run, what_the_recipe_says_changes_the_weights) {
  const std::string base = run(small_run(), 1).weights_sha256;
  for (int change = 0; change < 6; ++change) {
    RunConfig config = small_run();
    if (change == 0) config.recipe.seed = 2;
    if (change == 1) config.recipe.shards = 8;
    if (change == 2) config.recipe.adam.clip_norm = 0.1;
    if (change == 3) config.recipe.schedule.decay = Decay::cosine;
    if (change == 4) config.recipe.schedule.warmup_steps = 5;
    if (change == 5) config.recipe.recurrent = RecurrentInit::identity;
    EXPECT_NE(run(config, 1).weights_sha256, base) << change;
  }
}

ExitCode code_of(const RunConfig& config, std::size_t ranks) {
  try {
    run(config, ranks);
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::done;
}

TEST(Run, refuses_more_ranks_than_shards_and_batches_beyond_the_set) {
  EXPECT_EQ(code_of(small_run(), 17), ExitCode::usage);
  RunConfig config = small_run();
  config.recipe.batch_size = 60000;
  EXPECT_EQ(code_of(config, 1), ExitCode::usage);
}

TEST(Run, a_rate_that_blows_up_ends_as_non_finite_on_all_ranks) {
  RunConfig config = small_run();
  config.recipe.schedule.learning_rate = 1e36;
  EXPECT_EQ(code_of(config, 2), ExitCode::non_finite);
}

}  // namespace
}  // namespace lockstep
