// No two threads of the kernels race, and every barrier is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "device_step.hpp"
#include "grid.hpp"

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

TEST(Races, are_none_in_the_kernels) {
  for (const Training& training : trainings()) {
    control = {};
    EXPECT_TRUE(train_on_device(training) == train_by_reference(training));
    EXPECT_THAT(control.reports, testing::IsEmpty());
  }
}

bool is_noticed(const Barrier& removed) {
  for (const Training& training : trainings()) {
    control = {.ignored = removed};
    try {
      train_on_device(training);
    } catch (const std::runtime_error&) {
      return true;
    }
    if (control.report_count > 0) return true;
  }
  return false;
}

TEST(Races, are_reported_wherever_a_barrier_is_taken_away) {
  control = {};
  for (const Training& training : trainings()) train_on_device(training);
  const std::vector<Barrier> barriers = control.barriers;
  EXPECT_GE(barriers.size(), 12u);
  for (const Barrier& barrier : barriers) {
    EXPECT_TRUE(is_noticed(barrier)) << barrier.file << ":" << barrier.line;
  }
}

}  // namespace
}  // namespace lockstep
