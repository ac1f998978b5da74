// Whole runs of the program with --device cuda, its kernels on the CPU: the bits of `reference`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <lockstep/train/bench.hpp>

#include "../unit/train/whole_run.hpp"
#include "replica_fixture.hpp"

namespace lockstep::replica_tests {
namespace {

TEST_F(DeviceReplica, has_the_bits_of_reference_after_a_whole_epoch) {
  expect_same(small_run(), 1);
}

TEST_F(DeviceReplica, has_them_with_uneven_shares_clipping_and_a_rate_that_falls) {
  RunConfig config = short_run();
  config.recipe.batch_size = 26;
  config.recipe.shards = 2;
  config.recipe.adam.clip_norm = 0.1;
  config.recipe.schedule.decay = Decay::cosine;
  config.recipe.schedule.warmup_steps = 3;
  config.evaluate = EvaluateOn::all;
  machine.gpus = 2;
  expect_same(config, 2);
}

TEST_F(DeviceReplica, goes_on_from_a_state_to_the_same_bits_on_any_device) {
  RunConfig config = short_run();
  config.recipe.adam.clip_norm = 1;
  RunConfig on_cpu = config;
  on_cpu.device = "cpu";
  const TrainingState unbroken = advance({}, 20, on_cpu, 1);  // nearly two passes
  machine.gpus = 2;
  const TrainingState middle = advance({}, 7, config, 2);
  EXPECT_EQ(middle, advance({}, 7, on_cpu, 3));
  EXPECT_EQ(advance(middle, 20, config, 1), unbroken);
  EXPECT_EQ(advance(advance(middle, 9, on_cpu, 2), 20, config, 3), unbroken);
}

TEST_F(DeviceReplica, has_them_after_three_steps_of_the_default_recipe) {
  RunConfig config;
  config.data.data = "synthetic";
  const TrainingState found = advance({}, 3, config, 1);
  config.device = "cpu";
  EXPECT_EQ(found, advance({}, 3, config, 1));
}

TEST_F(DeviceReplica, takes_several_steps_at_a_launch_where_nobody_looks) {
  const RunConfig config = short_run("cuda"), on_cpu = short_run("cpu");
  const auto world = make_local_communicator();
  Job job(config, *world);
  Job expected(on_cpu, *world);
  cuda_on_cpu::control.graph_launches = 0;  // but for the steps on trial
  for (std::uint64_t step = 1; step <= 24; ++step) {
    const StepOutcome outcome = job.replica().step(step, {.until = 22});
    const StepOutcome right = expected.replica().step(step, {});
    EXPECT_EQ(outcome.tally.loss, right.tally.loss);
    EXPECT_EQ(outcome.tally.correct, right.tally.correct);
    EXPECT_EQ(outcome.seconds > 0, step > 1 && step <= 22);
  }
  // The first step without a graph, the 21 after it in one, and each of the last two.
  EXPECT_EQ(cuda_on_cpu::control.graph_launches, 1u + 2u);
  EXPECT_EQ(job.replica().state(), expected.replica().state());
}

/// The line of a run on two GPUs that are refused.
std::string refusal() {
  machine.gpus = 2;
  try {
    run(short_run("cuda"), 2);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_THAT(error.what(), testing::HasSubstr("--device cpu"));
    return error.what();
  }
  return "no error";
}

/// A bit of its memory errs: the lowest of the first weight.
TEST_F(DeviceReplica, is_refused_where_the_gpu_does_not_give_the_bits_of_the_cpu) {
  const std::size_t weights = advance({}, 1, short_run("cpu"), 1).parameters.size();
  cuda_on_cpu::control.damaged_copy = weights * sizeof(float);
  EXPECT_THAT(refusal(), testing::HasSubstr("stand-in does not give the CPU's bits: after step"));
}

TEST_F(DeviceReplica, is_refused_by_the_same_line_where_the_gpu_fails_at_a_step_on_trial) {
  cuda_on_cpu::control.graphs_fail = true;
  EXPECT_THAT(refusal(),
              testing::HasSubstr("stand-in does not give the CPU's bits: a step on "
                                 "trial failed: the GPU failed while launching a graph"));
}

/// A learning rate that makes the steps on trial non-finite is the run's failure, not the GPU's.
TEST_F(DeviceReplica, is_not_refused_for_steps_that_the_cpu_cannot_take_either) {
  RunConfig config = short_run("cuda");
  for (const double rate : {1e38, 1e39}) {  // finite in fp32, and not
    config.recipe.schedule.learning_rate = rate;
    try {
      run(config, 1);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::non_finite) << error.what();
    }
  }
}

TEST_F(DeviceReplica, is_measured_by_the_bench) {
  const auto world = make_local_communicator();
  const BenchResult found = run_bench(short_run("cuda"), 30, 0, *world);
  EXPECT_EQ(found.engine, "cuda");
  EXPECT_GT(found.p50, 0);
  EXPECT_EQ(found.peak_gflops, 0);
  EXPECT_THAT(found.kernels, testing::SizeIs(4));  // one rank, which sums alone
  EXPECT_EQ(found.first_loss, run_bench(short_run("cpu"), 1, 0, *world).first_loss);
}

TEST_F(DeviceReplica, says_what_a_step_took) {
  const auto world = make_local_communicator();
  const RunConfig config = short_run("cuda");
  Job job(config, *world);
  job.replica().step(1, {});
  const RankReport first = job.replica().last_step();
  EXPECT_GT(first.compute_seconds, 0);
  EXPECT_GT(first.reduce_seconds, 0);
  const StepOutcome second = job.replica().step(2, {});
  EXPECT_EQ(second.reports.at(0).compute_seconds, first.compute_seconds);
  EXPECT_EQ(second.reports.at(0).reduce_seconds, first.reduce_seconds);
}

TEST_F(DeviceReplica, takes_no_step_after_one_that_the_ranks_agree_to_end_with) {
  const auto world = make_local_communicator();
  const RunConfig config = short_run("cuda");
  Job job(config, *world);
  EXPECT_FALSE(job.replica().step(1, {}).stop);
  EXPECT_TRUE(job.replica().step(2, {.stop = true, .until = 6}).stop);
  EXPECT_EQ(job.replica().state(), advance({}, 2, short_run("cpu"), 1));
  EXPECT_EQ(job.replica().step(3, {.failure = 6, .until = 6}).failure, 6);
  EXPECT_EQ(job.replica().step(4, {.until = 6}).failure, 0);
  job.replica().step(5, {});
  job.replica().step(6, {});
  EXPECT_EQ(job.replica().state(), advance({}, 6, short_run("cpu"), 1));
}

TEST_F(DeviceReplica, keeps_its_state_where_a_step_fails) {
  const RunConfig config = short_run("cuda");
  const auto world = make_local_communicator();
  Job job(config, *world);
  job.replica().step(1, {});
  const TrainingState before = job.replica().state();
  TrainingState broken = before;
  broken.parameters[7] = std::numeric_limits<float>::quiet_NaN();
  job.replica().restore(broken);
  EXPECT_THROW(job.replica().step(2, {}), Error);
  EXPECT_EQ(job.replica().state().step, 1u);
  EXPECT_EQ(job.replica().state().first_moment, before.first_moment);
  job.replica().restore(before);
  job.replica().step(2, {});
  EXPECT_EQ(job.replica().state(), advance({}, 2, short_run("cpu"), 1));
}

}  // namespace
}  // namespace lockstep::replica_tests
