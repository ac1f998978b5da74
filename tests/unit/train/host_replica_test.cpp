#include "host_replica.hpp"

#include <gtest/gtest.h>

#include "job.hpp"
#include "made_digits.hpp"

namespace lockstep {
namespace {

RunConfig small_run() {
  RunConfig config = made_digits();
  config.recipe.hidden = 8;
  config.recipe.batch_size = 32;
  config.recipe.adam.clip_norm = 1;
  return config;
}

/// The state after the steps from `from` on to step `to`, on so many ranks.
TrainingState advance(const TrainingState& from, std::uint64_t to, std::size_t ranks) {
  TrainingState result;
  run_on_threads(ranks, [&](Communicator& world) {
    const RunConfig config = small_run();
    Job job(config, world);
    if (from.step > 0) job.replica().restore(from);
    for (std::uint64_t step = from.step + 1; step <= to; ++step) job.replica().step(step, {});
    if (world.rank() == world.size() - 1) result = job.replica().state();
  });
  return result;
}

TEST(HostReplica, goes_on_from_a_state_with_the_same_bits_on_other_ranks) {
  constexpr std::uint64_t beyond_a_pass = 200;  // of the 5500 pictures, in steps of 32
  const TrainingState unbroken = advance({}, beyond_a_pass, 1);
  EXPECT_EQ(unbroken.step, beyond_a_pass);
  const TrainingState middle = advance({}, 77, 3);
  EXPECT_EQ(middle.step, 77u);
  EXPECT_EQ(advance(middle, beyond_a_pass, 2), unbroken);
  EXPECT_EQ(advance(advance(middle, 180, 4), beyond_a_pass, 1), unbroken);
}

TEST(HostReplica, gives_the_very_state_that_it_was_given) {
  const TrainingState state = advance({}, 3, 1);
  EXPECT_EQ(advance(state, 3, 1), state);
  EXPECT_NE(state.first_moment, std::vector<float>(state.first_moment.size()));
}

}  // namespace
}  // namespace lockstep
