// Whole runs of the program with --device cuda, its kernels on the CPU: the bits of `reference`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include <lockstep/comm/forwarding_communicator.hpp>
#include <lockstep/data/dataset.hpp>
#include <lockstep/train/bench.hpp>
#include <lockstep/train/run.hpp>

#include "../unit/temporary_folder.hpp"
#include "../unit/train/whole_run.hpp"
#include "gpu_machine.hpp"
#include "grid.hpp"
#include "idx.hpp"
#include "job.hpp"

namespace lockstep {
namespace {

using cuda_on_cpu::machine;

/// Small data sets of made digits: 640 training pictures, and 121 of which only some rows are left.
class Pictures : public testing::Environment {
 public:
  void SetUp() override {
    const auto digits = open_dataset({"synthetic"});
    std::filesystem::create_directory(low());
    write(whole(), "train", digits->training(0, 698));  // a twelfth is for validation
    write(whole(), "t10k", digits->test(0, 40));
    write(low(), "train", cropped(digits->training(0, 132)));
    write(low(), "t10k", cropped(digits->test(0, 20)));
  }
  std::filesystem::path whole() const { return folder_.path(); }
  std::filesystem::path low() const { return folder_.path() / "low"; }

 private:
  static Samples cropped(const Samples& samples) {
    constexpr std::size_t first = 10, rows = 5;
    Samples result{rows, samples.columns, {}, samples.labels};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const std::uint8_t* row = samples.picture(i) + first * samples.columns;
      result.pixels.insert(result.pixels.end(), row, row + rows * samples.columns);
    }
    return result;
  }
  static void write(const std::filesystem::path& folder, const std::string& name,
                    const Samples& samples) {
    const std::array<std::size_t, 3> shape{samples.size(), samples.rows, samples.columns};
    write_idx(folder / (name + "-images-idx3-ubyte"), shape, samples.pixels);
    write_idx(folder / (name + "-labels-idx1-ubyte"), std::span(shape).first(1), samples.labels);
  }
  TemporaryFolder folder_;
};
auto* const pictures = static_cast<Pictures*>(testing::AddGlobalTestEnvironment(new Pictures));

RunConfig small_run(const std::string& device = "auto") {
  RunConfig config;
  config.data.data = pictures->whole();
  config.device = device;
  config.threads = 1;
  config.console.quiet = true;
  config.recipe.hidden = 16;
  config.recipe.batch_size = 64;
  config.recipe.epochs = 1;
  config.recipe.schedule.learning_rate = 0.01;
  return config;
}

constexpr std::size_t short_steps = 12;

RunConfig short_run(const std::string& device = "auto") {
  RunConfig config = small_run(device);
  config.data.data = pictures->low();
  config.recipe.hidden = 3;
  config.recipe.batch_size = 10;
  config.recipe.shards = 5;
  return config;
}

/// Something happens to this rank's part of sum number `number` of a gradient; 0: nothing does.
class Struck final : public ForwardingCommunicator {
 public:
  using Blow = void (*)(std::span<std::int64_t> values);
  Struck(Communicator& inner, std::size_t number, Blow blow)
      : ForwardingCommunicator(inner), number_(number), blow_(blow) {
    cuda_on_cpu::before_sum = [this](std::span<std::int64_t> values) { strike(values); };
  }
  ~Struck() override { cuda_on_cpu::before_sum = nullptr; }

  using ForwardingCommunicator::all_reduce;
  void all_reduce(std::span<std::int64_t> values) override {
    if (values.size() > 100) strike(values);
    ForwardingCommunicator::all_reduce(values);
  }

 private:
  void strike(std::span<std::int64_t> values) {
    if (++sums_ == number_) blow_(values);
  }

  std::size_t number_;
  Blow blow_;
  std::size_t sums_ = 0;
};
void die(std::span<std::int64_t>) {
  throw RankDeath();
}
void spoil(std::span<std::int64_t> values) {
  values[5] ^= 1 << 20;
}

class DeviceReplica : public testing::Test {
 protected:
  void SetUp() override {
    machine.gpus = 1;
    machine.nccl = false;
    machine.sums = 0;
    machine.misuses = 0;
    cuda_on_cpu::control = {};
  }
  void TearDown() override {
    EXPECT_EQ(machine.misuses, 0);
    EXPECT_THAT(cuda_on_cpu::control.reports, testing::IsEmpty());
  }

  /// The run on the stand-in is that of `reference` on the CPU.
  void expect_same(RunConfig config, std::size_t ranks) {
    config.device = "auto";
    const Summary found = run(config, ranks);
    config.device = "cpu";
    config.engine.name = "reference";
    config.faults.clear();
    const Summary expected = run(config, 1);
    EXPECT_EQ(expected.engine, "reference");
    EXPECT_EQ(found.engine, "cuda");
    EXPECT_EQ(found.isa, "sm_90");
    EXPECT_EQ(found.steps, expected.steps);
    EXPECT_EQ(found.weights_sha256, expected.weights_sha256);
    EXPECT_EQ(found.test_loss, expected.test_loss);
    EXPECT_EQ(found.test_accuracy, expected.test_accuracy);
    EXPECT_EQ(found.validation_loss, expected.validation_loss);
    EXPECT_EQ(found.validation_accuracy, expected.validation_accuracy);
  }
};

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

TEST_F(DeviceReplica, sums_over_the_communicator_with_ranks_on_gpus_and_on_the_cpu) {
  for (const std::size_t gpus : {1, 2, 3}) {
    machine.gpus = gpus;
    expect_same(short_run(), 3);
  }
  EXPECT_EQ(machine.sums, 0);
}

TEST_F(DeviceReplica, sums_over_a_reducer_in_the_gpus_memory) {
  machine.nccl = true;
  for (const std::size_t ranks : {2, 3, 4}) {
    machine.gpus = ranks;
    machine.sums = 0;
    expect_same(short_run(), ranks);
    EXPECT_EQ(machine.sums, static_cast<int>(ranks * short_steps));
  }
}

/// Of the ways in which ranks sum: over a communicator, partly or all on GPUs, and in their memory.
class Sums : public DeviceReplica, public testing::WithParamInterface<std::pair<int, bool>> {
 protected:
  static constexpr std::size_t ranks = 3;

  void SetUp() override {
    DeviceReplica::SetUp();
    machine.gpus = static_cast<std::size_t>(GetParam().first);
    machine.nccl = GetParam().second;
  }
};
INSTANTIATE_TEST_SUITE_P(, Sums,
                         testing::Values(std::pair(1, false), std::pair(3, false),
                                         std::pair(3, true)));

RunConfig with(const std::string& faults) {
  RunConfig config = short_run();
  config.faults = parse_faults(faults);
  return config;
}

TEST_P(Sums, that_are_wrong_are_found_and_taken_again) {
  expect_same(with("rank=0,step=2,kind=wrong-sum:rank=2,step=4,kind=wrong-sum"), ranks);
}

TEST_P(Sums, show_a_flipped_bit_that_is_healed_by_the_majority) {
  expect_same(with("rank=0,step=2,kind=flip"), ranks);
}

TEST_P(Sums, go_on_without_a_rank_that_died) {
  const std::string expected = run(short_run("cpu"), 1).weights_sha256;
  for (const std::size_t dying : {0u, 2u}) {
    for (const std::size_t step : {1u, 3u}) {
      std::mutex mutex;
      std::size_t survivors = 0;
      run_on_threads(ranks, [&](Communicator& world) {
        Struck mortal(world, world.rank() == dying ? step : 0, die);
        const Summary own = run_training(short_run(), mortal);
        const std::lock_guard lock(mutex);
        ++survivors;
        EXPECT_EQ(own.weights_sha256, expected);
        EXPECT_EQ(own.ranks_lost, 1u);
      });
      EXPECT_EQ(survivors, ranks - 1);
    }
  }
}

TEST_P(Sums, with_a_value_that_is_no_number_end_the_training_by_name) {
  const auto line = [](const RunConfig& config) {
    try {
      run(config, ranks);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::non_finite);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  RunConfig config = with("rank=1,step=2,kind=nan");
  const std::string on_device = line(config);
  config.device = "cpu";
  EXPECT_EQ(on_device, line(config));
  EXPECT_THAT(on_device, testing::HasSubstr("non-finite at step 2: the loss"));
}

/// The state after the steps from `from` on to step `to`.
TrainingState advance(const TrainingState& from, std::uint64_t to, const RunConfig& config,
                      std::size_t ranks) {
  TrainingState result;
  run_on_threads(ranks, [&](Communicator& world) {
    Job job(config, world, from);
    for (std::uint64_t step = from.step + 1; step <= to; ++step) job.replica().step(step, {});
    if (world.rank() == world.size() - 1) result = job.replica().state();
  });
  return result;
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

TEST_F(DeviceReplica, keeps_the_steps_before_one_that_fails) {
  machine.gpus = 2;
  machine.nccl = true;
  const TrainingState expected = advance({}, 2, short_run("cpu"), 1);
  run_on_threads(2, [&](Communicator& world) {
    const RunConfig config = short_run();
    Struck struck(world, world.rank() == 1 ? 3 : 0, spoil);
    Job job(config, struck);
    for (std::uint64_t step = 1; step <= 2; ++step) job.replica().step(step, {.until = 6});
    EXPECT_THROW(job.replica().step(3, {.until = 6}), RankLost);
    EXPECT_EQ(job.replica().state(), expected);
    for (std::uint64_t step = 3; step <= 6; ++step) job.replica().step(step, {.until = 6});
    EXPECT_EQ(job.replica().state(), advance({}, 6, short_run("cpu"), 1));
  });
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
}  // namespace lockstep
