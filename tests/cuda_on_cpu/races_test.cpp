// No two threads of the kernels race, and every barrier is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "device_step.hpp"
#include "grid.hpp"
#include "job.hpp"

namespace lockstep {
namespace {

using cuda_on_cpu::Barrier;
using cuda_on_cpu::control;

/// Sizes that go through all kernels, and through their loops more than once. More terms than the
/// weight gradient takes at a time, more samples than a forward pass has blocks of threads.
std::vector<Training> trainings() {
  const AdamConfig clipping{.clip_norm = 0.1};
  return {{{20, 3, 5, 3}, {8}, 1, clipping},
          {{2, 28, 128, 3}, std::vector<std::size_t>(19, 7), 1},
          {{2, 3, 4, 3}, std::vector<std::size_t>(19, 7), 1}};
}

/// Steps of the program, the last of which fails.
void take_steps() {
  RunConfig config;
  config.data.data = "synthetic";
  config.device = "cuda";
  config.console.quiet = true;
  config.recipe.hidden = 16;  // the sum is several blocks' work
  config.recipe.batch_size = 2;
  config.recipe.shards = 2;
  const auto world = make_local_communicator();
  Job job(config, *world);
  for (std::uint64_t step = 1; step <= 2; ++step) job.replica().step(step, {});
  job.replica().tally(2);
  TrainingState state = job.replica().state();
  state.parameters.front() = std::numeric_limits<float>::quiet_NaN();
  job.replica().restore(state);
  EXPECT_THROW(job.replica().step(3, {}), Error);
}

TEST(Races, are_none_in_the_kernels) {
  for (const Training& training : trainings()) {
    control = {};
    EXPECT_TRUE(train_on_device(training) == train_by_reference(training));
    EXPECT_THAT(control.reports, testing::IsEmpty());
  }
  take_steps();
  EXPECT_THAT(control.reports, testing::IsEmpty());
}

template <typename Work>
bool is_noticed(const Barrier& removed, const Work& work) {
  control = {.ignored = removed};
  try {
    work();
  } catch (const std::runtime_error&) {
    return true;
  }
  return control.report_count > 0;
}

bool is_noticed(const Barrier& removed) {
  const auto all = trainings();
  return std::ranges::any_of(all,
                             [&](const Training& training) {
                               return is_noticed(removed, [&] { train_on_device(training); });
                             }) ||
         is_noticed(removed, take_steps);
}

TEST(Races, are_reported_wherever_a_barrier_is_taken_away) {
  control = {};
  for (const Training& training : trainings()) train_on_device(training);
  take_steps();
  const std::vector<Barrier> barriers = control.barriers;
  EXPECT_GE(barriers.size(), 13u);
  for (const Barrier& barrier : barriers) {
    EXPECT_TRUE(is_noticed(barrier)) << barrier.file << ":" << barrier.line;
  }
}

}  // namespace
}  // namespace lockstep
