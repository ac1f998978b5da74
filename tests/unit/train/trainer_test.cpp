#include "trainer.hpp"

#include <gtest/gtest.h>

#include "job.hpp"
#include "made_digits.hpp"

namespace lockstep {
namespace {

/// Keeps what is reported.
struct Recorder : Observer {
  std::vector<StepRecord> steps;
  std::vector<EpochRecord> epochs;

  void step(const StepRecord& record) override { steps.push_back(record); }
  void epoch(const EpochRecord& record, std::span<const float>) override {
    epochs.push_back(record);
  }
};

RunConfig small_run() {
  RunConfig config = made_digits();
  config.recipe.hidden = 8;
  config.recipe.batch_size = 500;  // 11 steps an epoch
  config.recipe.epochs = 3;
  return config;
}

Recorder record_from(std::uint64_t step) {
  Recorder recorder;
  run_on_threads(2, [&](Communicator& world) {
    const RunConfig config = small_run();
    Job job(config, world);
    for (std::uint64_t i = 1; i <= step; ++i) job.replica().step(i, {});
    Observer silent;
    Trainer trainer(job.plan(), job.schedule(), job.replica(), job.evaluator(),
                    job.data_agreement(), world, world.rank() == 0 ? recorder : silent);
    Progress from;
    from.steps = step;
    from.seconds = 1000;
    EXPECT_EQ(trainer.run(from).steps, 33u);
  });
  return recorder;
}

TEST(Trainer, reports_every_step_once_from_any_step_on) {
  const Recorder whole = record_from(0);
  ASSERT_EQ(whole.steps.size(), 33u);
  ASSERT_EQ(whole.epochs.size(), 3u);
  for (const std::uint64_t start : {5u, 11u, 12u, 32u}) {
    const Recorder rest = record_from(start);
    ASSERT_EQ(rest.steps.size(), 33 - start);
    for (std::size_t i = 0; i < rest.steps.size(); ++i) {
      EXPECT_EQ(rest.steps[i].step, whole.steps[start + i].step);
      EXPECT_EQ(rest.steps[i].loss, whole.steps[start + i].loss);
      EXPECT_EQ(rest.steps[i].epoch, whole.steps[start + i].epoch);
    }
    ASSERT_EQ(rest.epochs.size(), 3 - start / 11);
    EXPECT_EQ(rest.epochs.back().validation_loss, whole.epochs.back().validation_loss);
    EXPECT_GE(rest.epochs.front().seconds, 1000);
  }
}

TEST(TrainingPlan, pauses_at_epochs_ends_and_checkpoints) {
  const TrainingPlan plan{2, 10, 8, 4};
  EXPECT_EQ(plan.next_pause(1), 4u);
  EXPECT_EQ(plan.next_pause(4), 4u);
  EXPECT_EQ(plan.next_pause(9), 10u);
  EXPECT_EQ(plan.next_pause(11), 12u);
  const TrainingPlan without_checkpoints{2, 10, 8, 0};
  EXPECT_EQ(without_checkpoints.next_pause(1), 10u);
  EXPECT_EQ(without_checkpoints.next_pause(11), 20u);
}

TEST(Trainer, has_nothing_to_do_after_the_last_step) {
  const Recorder rest = record_from(33);
  EXPECT_TRUE(rest.steps.empty());
  EXPECT_TRUE(rest.epochs.empty());
}

}  // namespace
}  // namespace lockstep
