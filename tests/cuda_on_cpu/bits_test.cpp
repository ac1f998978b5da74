// The kernels, run on the CPU, have the bits of `reference` from the first row to Adam.
#include <gtest/gtest.h>

#include "device_step.hpp"
#include "grid.hpp"

namespace lockstep {

void PrintTo(const Training& t, std::ostream* out) {
  *out << t.shape.rows << "x" << t.shape.columns << ", " << t.shape.hidden << " units, "
       << t.shape.classes << " classes, " << t.blocks.size() << " blocks, " << t.steps << " steps";
}

namespace {

class KernelBits : public testing::TestWithParam<Training> {};

TEST_P(KernelBits, are_those_of_reference_in_any_order_of_threads_and_blocks) {
  const Trained expected = train_by_reference(GetParam());
  for (const std::uint64_t seed : {1, 2}) {
    cuda_on_cpu::control = {.seed = seed};
    const Trained found = train_on_device(GetParam());
    EXPECT_EQ(found.tally.loss, expected.tally.loss);
    EXPECT_EQ(found.tally.correct, expected.tally.correct);
    EXPECT_EQ(found.tally.invalid, expected.tally.invalid);
    EXPECT_EQ(found.first_sum, expected.first_sum);
    EXPECT_TRUE(found == expected);
    EXPECT_EQ(cuda_on_cpu::control.report_count, 0u);
  }
}

const ModelShape mnist;
const AdamConfig clipping{.clip_norm = 0.1};

INSTANTIATE_TEST_SUITE_P(Small, KernelBits,
                         testing::Values(Training{{1, 1, 1, 1}, {1}, 1},
                                         Training{{2, 3, 2, 2}, {1, 2}, 3},
                                         Training{{5, 7, 3, 4}, {8, 8, 5}, 2},
                                         Training{{6, 28, 5, 10}, {8}, 2, clipping},
                                         Training{{28, 28, 16, 10}, {8, 1}, 2},
                                         Training{{9, 10, 31, 3}, {3, 8}, 2},
                                         Training{{4, 40, 33, 26}, {8, 8}, 2, clipping},
                                         Training{{20, 6, 40, 2}, {8}, 2}));

INSTANTIATE_TEST_SUITE_P(
    Large, KernelBits,
    testing::Values(Training{{28, 28, 128, 10}, {8, 8, 3}, 2, clipping},  // the tuned size
                    Training{{7, 28, 128, 3}, {5}, 2},                    // and with fewer rows
                    Training{{13, 28, 128, 32}, {8, 8, 8, 8, 8}, 1},      // and more classes
                    Training{{1, 28, 128, 10}, {8, 8}, 1},
                    Training{{3, 12, 128, 10}, {2}, 1},  // not with other pictures
                    Training{{3, 28, 129, 10}, {2}, 1}, Training{{2, 4, 300, 200}, {3}, 1},
                    Training{{2, 5, 1024, 10}, {2}, 1}));

TEST(KernelBits, are_those_of_reference_on_a_gpu_without_room_for_the_tuned_kernels) {
  const Training training{mnist, {8, 3}, 1};
  cuda_on_cpu::control = {.shared_limit = 99 * 1024};
  EXPECT_TRUE(train_on_device(training) == train_by_reference(training));
  EXPECT_EQ(cuda_on_cpu::control.report_count, 0u);
  cuda_on_cpu::control = {};
}

TEST(KernelBits, are_those_of_reference_for_three_steps_of_the_default_size) {
  const Training training{mnist, std::vector<std::size_t>(16, 8), 3};
  EXPECT_TRUE(train_on_device(training) == train_by_reference(training));
}

TEST(Kernels, say_which_gradients_were_out_of_range) {
  for (const ModelShape& shape : {ModelShape{4, 6, 5, 3}, ModelShape{4, 28, 128, 3}}) {
    Training training{shape, {8, 8}, 1};
    training.limit = 1e-3f;
    const Trained expected = train_by_reference(training);
    EXPECT_NE(expected.tally.invalid, 0u);
    EXPECT_TRUE(train_on_device(training) == expected);
  }
}

}  // namespace
}  // namespace lockstep
