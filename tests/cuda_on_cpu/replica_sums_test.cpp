// The ranks' sums over a communicator, and in the GPUs' memory: right, wrong and failing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <utility>

#include <lockstep/comm/forwarding_communicator.hpp>

#include <lockstep/train/checkpoint.hpp>

#include "../unit/temporary_folder.hpp"
#include "../unit/train/whole_run.hpp"
#include "replica_fixture.hpp"

namespace lockstep::replica_tests {
namespace {

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
  expect_same(with("rank=2,step=2,kind=flip-moment"), ranks);
  expect_same(with("rank=1,step=12,kind=flip"), ranks);  // the last
}

TEST_P(Sums, let_no_flipped_bit_into_a_checkpoint) {
  for (const char* kind : {"flip", "flip-moment"}) {
    const TemporaryFolder folder;
    RunConfig config = with(std::string("rank=0,step=4,kind=") + kind);
    config.out = folder.path() / "run";
    config.checkpoints = {.every = 4, .keep = 100};
    testing::internal::CaptureStdout();
    run(config, ranks);
    testing::internal::GetCapturedStdout();
    const Checkpoint saved = read_checkpoint(config.out / "checkpoints/step-00000004.safetensors");
    EXPECT_EQ(saved.state, advance({}, 4, short_run("cpu"), 1)) << kind;
  }
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
  RunConfig config = with("rank=0,step=2,kind=nan:rank=1,step=2,kind=nan:rank=2,step=2,kind=nan");
  const std::string on_device = line(config);
  config.device = "cpu";
  EXPECT_EQ(on_device, line(config));
  EXPECT_THAT(on_device, testing::HasSubstr("non-finite at step 2: the loss"));
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

}  // namespace
}  // namespace lockstep::replica_tests
