// Runs that end early and go on, on made digits, with ranks as threads of this process.
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>

#include <lockstep/core/error.hpp>
#include <lockstep/train/checkpoint.hpp>
#include <lockstep/train/run.hpp>

#include "../temporary_folder.hpp"
#include "checkpoint_folder.hpp"
#include "made_digits.hpp"

namespace lockstep {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t steps_per_epoch = 11;

RunConfig small_run() {
  RunConfig config = made_digits();
  config.recipe.hidden = 4;
  config.recipe.batch_size = 500;
  config.recipe.shards = 5;
  config.recipe.epochs = 3;
  config.recipe.adam.clip_norm = 1;
  return config;
}

struct Outcome {
  Summary summary;
  ExitCode code = ExitCode::done;
  std::string error;
  std::string output;
};

Outcome run(const RunConfig& config, std::size_t ranks = 1) {
  Outcome outcome;
  std::mutex mutex;
  testing::internal::CaptureStdout();
  try {
    run_on_threads(ranks, [&](Communicator& world) {
      const Summary summary = run_training(config, world);
      const std::lock_guard lock(mutex);
      outcome.summary = summary;
    });
  } catch (const Error& error) {
    outcome.code = error.code();
    outcome.error = error.what();
  }
  outcome.output = testing::internal::GetCapturedStdout();
  return outcome;
}

class Resume : public testing::Test {
 protected:
  Resume() {
    ::setenv("PATH", "/nonexistent", 1);  // no pictures: they take longer than the rest
    config_.out = folder_.path() / "run";
  }

  /// Ends in the second epoch or at its end: its last checkpoint is that of `every` before, or of
  /// the first epoch.
  void break_off(std::size_t ranks, std::size_t every) {
    RunConfig config = config_;
    config.checkpoints.every = every;
    config.on_epoch = [](std::size_t epoch, auto) {
      if (epoch == 2) throw Error(ExitCode::internal, "power cut");
    };
    ASSERT_EQ(run(config, ranks).error, "power cut");
  }

  Outcome go_on(std::size_t ranks = 1) const { return run(config_, ranks); }

  std::filesystem::path newest() const {
    return CheckpointFolder(config_.out, 1).newest_first().front();
  }

  /// The steps of the rows of metrics.csv, those of epochs left out.
  std::vector<std::uint64_t> steps() const {
    std::ifstream file(config_.out / "metrics.csv");
    std::vector<std::uint64_t> steps;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("step,")) steps.push_back(std::stoull(line.substr(5)));
    }
    return steps;
  }

  TemporaryFolder folder_;
  RunConfig config_ = small_run();
};

std::vector<std::uint64_t> counting(std::uint64_t last) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 1; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

TEST_F(Resume, on_other_ranks_and_threads_in_an_epoch_gives_the_bits_of_an_unbroken_run) {
  const Summary unbroken = run(small_run()).summary;
  for (const std::size_t ranks : {1u, 3u, 4u}) {
    std::filesystem::remove_all(config_.out);
    break_off(2, 6);
    EXPECT_EQ(newest().stem(), "step-00000018");
    config_.threads = ranks == 1 ? 3 : 1;
    config_.evaluate = ranks == 3 ? EvaluateOn::all : EvaluateOn::rank0;
    const Outcome rest = go_on(ranks);
    EXPECT_EQ(rest.code, ExitCode::done) << rest.error;
    EXPECT_EQ(rest.summary.weights_sha256, unbroken.weights_sha256) << ranks;
    EXPECT_EQ(rest.summary.validation_loss, unbroken.validation_loss);
    EXPECT_EQ(rest.summary.restarts, 1u);
    EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
  }
}

TEST_F(Resume, twice_counts_both) {
  break_off(1, 6);
  break_off(3, 7);
  const Outcome rest = go_on(2);
  EXPECT_EQ(rest.summary.weights_sha256, run(small_run()).summary.weights_sha256);
  EXPECT_EQ(rest.summary.restarts, 2u);
  EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
}

TEST_F(Resume, from_the_last_step_only_finishes) {
  const Summary whole = go_on().summary;
  std::filesystem::remove(config_.out / "summary.json");
  const Outcome again = go_on(2);
  EXPECT_EQ(again.summary.weights_sha256, whole.weights_sha256);
  EXPECT_EQ(again.summary.validation_loss, whole.validation_loss);
  EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
}

TEST_F(Resume, from_a_file_goes_on_in_another_folder) {
  break_off(1, 0);
  config_.resume = newest();
  config_.out = folder_.path() / "other";
  EXPECT_EQ(go_on(2).summary.weights_sha256, run(small_run()).summary.weights_sha256);
  EXPECT_EQ(steps().front(), steps_per_epoch + 1);
}

TEST_F(Resume, never_begins_anew_and_drops_the_checkpoints) {
  break_off(1, 4);
  config_.resume = "never";
  config_.recipe.seed = 2;
  const Outcome anew = go_on();
  EXPECT_EQ(anew.code, ExitCode::done) << anew.error;
  EXPECT_EQ(anew.summary.restarts, 0u);
  EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
  for (const auto& path : CheckpointFolder(config_.out, 1).newest_first()) {
    EXPECT_EQ(read_checkpoint(path).seed, 2u) << path;
  }
}

TEST_F(Resume, leaves_a_damaged_checkpoint_out_with_one_line) {
  break_off(1, 0);
  const auto damaged = CheckpointFolder(config_.out, 1).file(steps_per_epoch + 1);
  std::filesystem::copy(newest(), damaged);
  std::filesystem::resize_file(damaged, std::filesystem::file_size(damaged) - 1);
  const Outcome rest = go_on();
  EXPECT_EQ(rest.summary.weights_sha256, run(small_run()).summary.weights_sha256);
  EXPECT_THAT(rest.output,
              HasSubstr("Warning: a damaged checkpoint is left out: " + damaged.string()));
  EXPECT_EQ(rest.output.find("Warning"), rest.output.rfind("Warning"));
  EXPECT_EQ(rest.summary.restarts, 1u);
  EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
}

TEST_F(Resume, begins_anew_where_no_checkpoint_is_whole) {
  break_off(1, 0);
  for (const auto& path : CheckpointFolder(config_.out, 1).newest_first()) {
    std::ofstream(path) << "something else";
  }
  const Outcome rest = go_on();
  EXPECT_EQ(rest.summary.weights_sha256, run(small_run()).summary.weights_sha256);
  EXPECT_EQ(rest.summary.restarts, 0u);
  EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
}

TEST_F(Resume, refuses_every_option_that_would_change_the_bits_by_name_with_both_values) {
  break_off(1, 0);
  const auto refusal = [&](auto change) {
    RunConfig config = config_;
    change(config);
    const Outcome outcome = run(config);
    EXPECT_EQ(outcome.code, ExitCode::usage);
    return outcome.error;
  };
  EXPECT_THAT(refusal([](auto& c) { c.recipe.hidden = 5; }), HasSubstr("--hidden is 5, was 4:"));
  EXPECT_THAT(refusal([](auto& c) { c.recipe.batch_size = 250; }),
              HasSubstr("--batch-size is 250, was 500:"));
  EXPECT_THAT(refusal([](auto& c) { c.recipe.shards = 6; }), HasSubstr("--shards is 6, was 5:"));
  EXPECT_THAT(refusal([](auto& c) { c.recipe.recurrent = RecurrentInit::identity; }),
              HasSubstr("--recurrent-init is identity, was glorot:"));
  EXPECT_THAT(refusal([](auto& c) { c.recipe.schedule.learning_rate = 0.1; }),
              HasSubstr("--learning-rate is 0.1, was 0.001:"));
  EXPECT_THAT(refusal([](auto& c) { c.recipe.schedule.decay = Decay::cosine; }),
              HasSubstr("--decay is cosine, was constant:"));
  EXPECT_THAT(refusal([](auto& c) { c.recipe.schedule.warmup_steps = 3; }),
              HasSubstr("--warmup-steps is 3, was 0:"));
  EXPECT_THAT(refusal([](auto& c) {
                c.recipe.adam.clip_norm = 0;
                c.recipe.seed = 2;
              }),
              HasSubstr("--clip-norm is 0, was 1; --seed is 2, was 1:"));
  EXPECT_EQ(go_on().code, ExitCode::done);
}

TEST_F(Resume, takes_more_epochs_where_the_rate_does_not_depend_on_them) {
  break_off(1, 0);
  config_.recipe.epochs = 4;
  RunConfig longer = small_run();
  longer.recipe.epochs = 4;
  EXPECT_EQ(go_on().summary.weights_sha256, run(longer).summary.weights_sha256);
}

TEST_F(Resume, refuses_other_epochs_where_the_rate_depends_on_them_or_the_step_is_beyond) {
  break_off(1, 18);
  config_.recipe.epochs = 1;
  EXPECT_THAT(go_on().error, HasSubstr("--epochs is 1, was 3:"));
  std::filesystem::remove_all(config_.out);
  config_ = small_run();
  config_.out = folder_.path() / "run";
  config_.recipe.schedule.decay = Decay::cosine;
  break_off(1, 0);
  config_.recipe.epochs = 4;
  EXPECT_THAT(go_on().error, HasSubstr("--epochs is 4, was 3:"));
}

TEST_F(Resume, refuses_other_training_data) {
  break_off(1, 0);
  Checkpoint other = read_checkpoint(newest());
  other.data_sha256 = std::string(64, 'e');
  other.data = "elsewhere";
  write_checkpoint(newest(), other);
  const Outcome outcome = go_on(2);
  EXPECT_EQ(outcome.code, ExitCode::data);
  EXPECT_THAT(outcome.error, HasSubstr("synthetic"));
  EXPECT_THAT(outcome.error, HasSubstr("elsewhere (eeeeeeeeeeee...)"));
}

TEST_F(Resume, refuses_a_file_that_is_no_checkpoint) {
  std::ofstream(folder_.path() / "file") << "something else";
  config_.resume = folder_.path() / "file";
  EXPECT_EQ(go_on(2).code, ExitCode::store);
  config_.resume = folder_.path() / "missing";
  EXPECT_EQ(go_on().code, ExitCode::store);
}

TEST_F(Resume, a_second_run_in_the_folder_is_refused_while_the_first_is_at_work) {
  Outcome second;
  config_.on_epoch = [&](std::size_t epoch, auto) {
    if (epoch != 2) return;
    RunConfig config = config_;
    config.on_epoch = nullptr;
    try {
      run_training(config, *make_local_communicator());
    } catch (const Error& error) {
      second.code = error.code();
      second.error = error.what();
    }
  };
  EXPECT_EQ(go_on().code, ExitCode::done);
  EXPECT_EQ(second.code, ExitCode::store);
  EXPECT_THAT(second.error, HasSubstr("in use by process"));
}

TEST_F(Resume, checkpoints_that_cannot_be_written_are_one_warning_and_not_the_end) {
  config_.checkpoints.every = 1;
  config_.on_epoch = [&](std::size_t epoch, auto) {
    if (epoch != 1) return;
    // A checkpoint that is being written may make the directory again in between.
    const auto path = config_.out / "checkpoints";
    std::error_code ignored;
    for (std::ofstream in_the_way; !in_the_way.is_open(); in_the_way.open(path)) {
      std::filesystem::remove_all(path, ignored);
    }
  };
  const Outcome outcome = go_on(2);
  EXPECT_EQ(outcome.code, ExitCode::done) << outcome.error;
  EXPECT_THAT(outcome.output, HasSubstr("Warning: checkpoints not being saved"));
  EXPECT_EQ(outcome.output.find("Warning"), outcome.output.rfind("Warning")) << outcome.output;
  EXPECT_EQ(steps(), counting(3 * steps_per_epoch));
}

TEST_F(Resume, a_run_folder_that_vanishes_is_an_error_at_the_end_alone) {
  config_.on_epoch = [&](std::size_t epoch, auto) {
    if (epoch == 1) std::filesystem::remove_all(config_.out);
  };
  const Outcome outcome = go_on(2);
  EXPECT_EQ(outcome.code, ExitCode::store);
  EXPECT_THAT(outcome.output, HasSubstr("Warning: metrics not being saved"));
  EXPECT_THAT(outcome.output,
              HasSubstr("Weights SHA-256: " + run(small_run()).summary.weights_sha256));
}

}  // namespace
}  // namespace lockstep
