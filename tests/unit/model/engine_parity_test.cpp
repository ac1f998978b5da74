// Engines of one arithmetic give the same bits, whatever the shape, the batch and the instruction
// set.
#include <gtest/gtest.h>

#include <lockstep/core/error.hpp>
#include <lockstep/model/engine.hpp>

#include "pictures.hpp"

namespace lockstep {
namespace {

struct Case {
  ModelShape shape;
  std::size_t samples;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.shape.rows << "x" << c.shape.columns << ", " << c.shape.hidden << " units, "
       << c.shape.classes << " classes, " << c.samples << " samples";
}

struct Outcome {
  Tally tally;
  std::vector<std::int64_t> sum;
  Tally evaluation;
  std::vector<float> probabilities;
};

Outcome outcome(const EngineConfig& config, const Case& c) {
  const Pictures pictures(c.shape, c.samples);
  const auto engine = make_engine(config, c.shape);
  engine->set_parameters(some_parameters(c.shape));
  Outcome result;
  result.sum.assign(parameter_count(c.shape), 5);  // the gradient is added to what is there
  result.tally = engine->add_gradient(pictures.batch(), result.sum, 0);
  result.probabilities.resize(c.samples * c.shape.classes);
  result.evaluation = engine->evaluate(pictures.batch(), result.probabilities, 0);
  return result;
}

class EngineParity : public testing::TestWithParam<Case> {};

TEST_P(EngineParity, simd_has_the_bits_of_reference_on_every_instruction_set) {
  const Outcome expected = outcome({.name = "reference"}, GetParam());
  ASSERT_EQ(expected.tally.invalid, 0u);
  if (supported_isas().empty()) GTEST_SKIP() << "this machine has no instruction set for simd";
  for (const std::string& isa : supported_isas()) {
    const Outcome found = outcome({.name = "simd", .isa = isa}, GetParam());
    EXPECT_EQ(found.tally.loss, expected.tally.loss) << isa;
    EXPECT_EQ(found.tally.correct, expected.tally.correct) << isa;
    EXPECT_EQ(found.tally.invalid, 0u) << isa;
    EXPECT_EQ(found.sum, expected.sum) << isa;
    EXPECT_EQ(found.evaluation.loss, expected.tally.loss) << isa;
    EXPECT_EQ(found.evaluation.correct, expected.tally.correct) << isa;
    EXPECT_EQ(found.probabilities, expected.probabilities) << isa;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, EngineParity,
                         testing::Values(Case{{28, 28, 128, 10}, 8}, Case{{28, 28, 128, 10}, 19},
                                         Case{{28, 28, 37, 10}, 9}, Case{{28, 28, 16, 10}, 3},
                                         Case{{28, 28, 1, 10}, 8}, Case{{28, 28, 2, 2}, 1},
                                         Case{{28, 28, 64, 47}, 8}, Case{{1, 5, 24, 3}, 7},
                                         Case{{3, 1, 9, 4}, 11}, Case{{20, 40, 100, 17}, 8},
                                         Case{{7, 70, 33, 26}, 8}, Case{{10, 12, 257, 10}, 5},
                                         Case{{2, 3, 1024, 256}, 2}));

TEST(EngineParity, workers_at_the_same_time_do_not_disturb_each_other) {
  const ModelShape shape;
  const Pictures pictures(shape, 8);
  const auto engine = make_engine({.workers = 2}, shape);
  engine->set_parameters(some_parameters(shape));
  std::vector<std::int64_t> first(parameter_count(shape));
  std::vector<std::int64_t> second(parameter_count(shape));
  engine->add_gradient(pictures.batch(), first, 0);
  engine->add_gradient(pictures.batch(), second, 1);
  EXPECT_EQ(first, second);
}

TEST(Engine, gradients_of_blocks_add_up_to_the_batchs) {
  const ModelShape shape;
  const Pictures pictures(shape, 24);
  const auto engine = make_engine({}, shape);
  engine->set_parameters(some_parameters(shape));
  std::vector<std::int64_t> whole(parameter_count(shape));
  std::vector<std::int64_t> parts(parameter_count(shape));
  const Batch batch = pictures.batch();
  engine->add_gradient(batch, whole, 0);
  for (std::size_t i = 0; i < 24; i += 8) {
    engine->add_gradient({28, 28, batch.pictures.subspan(i, 8), batch.labels.subspan(i, 8)}, parts,
                         0);
  }
  EXPECT_EQ(whole, parts);
}

std::vector<EngineConfig> exact_engines() {
  std::vector<EngineConfig> configs{{.name = "reference"}};
  for (const std::string& isa : supported_isas()) configs.push_back({.name = "simd", .isa = isa});
  return configs;
}

TEST(Engine, names_the_tensor_whose_gradient_is_not_a_number) {
  const ModelShape shape{4, 6, 20, 3};
  const Pictures pictures(shape, 8);
  const std::size_t head_bias = tensors(shape)[3].offset;
  for (EngineConfig config : exact_engines()) {
    auto parameters = some_parameters(shape);
    parameters[head_bias] = std::numeric_limits<float>::quiet_NaN();
    const auto engine = make_engine(config, shape);
    engine->set_parameters(parameters);
    std::vector<std::int64_t> sum(parameter_count(shape));
    const Tally tally = engine->add_gradient(pictures.batch(), sum, 0);
    EXPECT_EQ(tally.invalid, 0b11111u) << config.name;
  }
}

TEST(Engine, refuses_a_gradient_beyond_the_limit_and_takes_one_within) {
  const ModelShape shape{4, 6, 20, 3};
  const Pictures pictures(shape, 8);
  for (EngineConfig config : exact_engines()) {
    // Inputs of a saturated head: probabilities far from the labels, head gradients of magnitude
    // > 1.
    auto parameters = some_parameters(shape);
    parameters[tensors(shape)[3].offset] = 50.0f;
    std::vector<std::int64_t> sum(parameter_count(shape));
    const auto wide = make_engine(config, shape);
    wide->set_parameters(parameters);
    EXPECT_EQ(wide->add_gradient(pictures.batch(), sum, 0).invalid, 0u);
    config.limit = 1.0f;
    const auto narrow = make_engine(config, shape);
    narrow->set_parameters(parameters);
    EXPECT_NE(narrow->add_gradient(pictures.batch(), sum, 0).invalid & 0b1000u, 0u);
  }
}

TEST(Engine, takes_gradients_beyond_the_fast_rounders_range) {
  // Large head weights make large derivatives in the recurrent part.
  const ModelShape shape{4, 6, 20, 3};
  const Pictures pictures(shape, 8);
  auto parameters = some_parameters(shape);
  const Tensor head = tensors(shape)[2];
  for (std::size_t i = head.offset; i < head.offset + head.size(); ++i) parameters[i] *= 1000.0f;
  std::vector<std::vector<std::int64_t>> sums;
  for (const EngineConfig& config : exact_engines()) {
    const auto engine = make_engine(config, shape);
    engine->set_parameters(parameters);
    sums.emplace_back(parameter_count(shape));
    EXPECT_EQ(engine->add_gradient(pictures.batch(), sums.back(), 0).invalid, 0u);
    EXPECT_EQ(sums.back(), sums.front());
  }
  std::int64_t largest = 0;
  for (const std::int64_t value : sums.front()) largest = std::max(largest, std::abs(value));
  EXPECT_GT(from_fixed(largest), 128.0);
}

TEST(Engine, unknown_names_are_refused_as_usage) {
  for (const EngineConfig& config :
       {EngineConfig{.name = "simt"}, EngineConfig{.name = "simd", .isa = "altivec"}}) {
    try {
      make_engine(config, ModelShape{});
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
    }
  }
}

}  // namespace
}  // namespace lockstep
