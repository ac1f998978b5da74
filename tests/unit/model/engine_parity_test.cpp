// Engines of one arithmetic give the same bits, whatever the shape, the batch and the instruction
// set.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <vector>

#include <lockstep/core/error.hpp>
#include <lockstep/core/range.hpp>
#include <lockstep/model/engine.hpp>

#include "pictures.hpp"

namespace lockstep {
namespace {

struct Case {
  ModelShape shape;
  std::size_t samples;
  std::size_t shards = 1;  // calls that the samples come in
  Ink ink = Ink::some;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.shape.rows << "x" << c.shape.columns << ", " << c.shape.hidden << " units, "
       << c.shape.classes << " classes, " << c.samples << " samples in " << c.shards << " shards"
       << (c.ink == Ink::everywhere ? ", no pixel blank" : "");
}

struct Outcome {
  Tally tally;
  std::vector<std::int64_t> sum;
  Tally evaluation;
  std::vector<std::uint32_t> probabilities;  // their bits
};

Outcome outcome(const EngineConfig& config, const Case& c) {
  const Pictures pictures(c.shape, c.samples, 1, c.ink);
  const Batch all = pictures.batch();
  const auto engine = make_engine(config, c.shape);
  engine->set_parameters(some_parameters(c.shape));
  Outcome result;
  result.sum.assign(parameter_count(c.shape), 5);  // the gradient is added to what is there
  for (std::size_t shard = 0; shard < c.shards; ++shard) {
    const Range own = part(c.samples, c.shards, shard);
    const Batch batch{all.rows, all.columns, all.pictures.subspan(own.begin, own.size()),
                      all.labels.subspan(own.begin, own.size())};
    result.tally += engine->add_gradient(batch, result.sum, 0);
  }
  std::vector<float> probabilities(c.samples * c.shape.classes);
  result.evaluation = engine->evaluate(all, probabilities, 0);
  for (const float p : probabilities) {
    result.probabilities.push_back(std::bit_cast<std::uint32_t>(p));
  }
  return result;
}

void expect_parity(const Case& c) {
  const Outcome expected = outcome({.name = "reference"}, c);
  ASSERT_EQ(expected.tally.invalid, 0u);
  for (const std::string& isa : supported_isas()) {
    for (const bool dense : {false, true}) {
      SCOPED_TRACE(isa + (dense ? ", dense" : ""));
      const Outcome found = outcome({.name = "simd", .isa = isa, .dense = dense}, c);
      EXPECT_EQ(found.tally.loss, expected.tally.loss);
      EXPECT_EQ(found.tally.correct, expected.tally.correct);
      EXPECT_EQ(found.tally.invalid, 0u);
      EXPECT_EQ(found.sum, expected.sum);
      EXPECT_EQ(found.evaluation.loss, expected.tally.loss);
      EXPECT_EQ(found.evaluation.correct, expected.tally.correct);
      EXPECT_EQ(found.probabilities, expected.probabilities);
    }
  }
}

class EngineParity : public testing::TestWithParam<Case> {};

TEST_P(EngineParity, simd_has_the_bits_of_reference_on_every_instruction_set) {
  expect_parity(GetParam());
  if (supported_isas().empty()) GTEST_SKIP() << "this machine has no instruction set for simd";
}

INSTANTIATE_TEST_SUITE_P(Shapes, EngineParity,
                         testing::Values(Case{{28, 28, 128, 10}, 8}, Case{{28, 28, 128, 10}, 19},
                                         Case{{28, 28, 37, 10}, 9}, Case{{28, 28, 16, 10}, 3},
                                         Case{{28, 28, 1, 10}, 8}, Case{{28, 28, 2, 2}, 1},
                                         Case{{28, 28, 64, 47}, 8}, Case{{1, 5, 24, 3}, 7},
                                         Case{{3, 1, 9, 4}, 11}, Case{{20, 40, 100, 17}, 8},
                                         Case{{7, 70, 33, 26}, 8}, Case{{10, 12, 257, 10}, 5},
                                         Case{{2, 3, 1024, 256}, 2},
                                         Case{{28, 28, 16, 10}, 16, 1, Ink::everywhere},
                                         Case{{5, 28, 3, 10}, 13, 1, Ink::everywhere}));

/// Of any size that a user may ask for, but of no more work than about 60 MFLOP.
Case some_case(std::mt19937& random) {
  const auto draw = [&](std::size_t from, std::size_t to) {
    return std::uniform_int_distribution<std::size_t>(from, to)(random);
  };
  const ModelShape shape{draw(1, 40), draw(1, 40), draw(1, 300), draw(2, 12)};
  const std::size_t operations =
      6 * (shape.rows * (shape.columns + shape.hidden) + shape.classes) * shape.hidden;
  const std::size_t samples = draw(1, std::clamp<std::size_t>(60'000'000 / operations, 1, 300));
  const std::size_t shards = draw(1, std::min<std::size_t>(samples, 20));
  return {shape, samples, shards, draw(0, 3) == 0 ? Ink::everywhere : Ink::some};
}

TEST(EngineParity, holds_for_sizes_drawn_at_random) {
  const auto seed = static_cast<std::uint32_t>(GTEST_FLAG_GET(random_seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
    const Case c = some_case(random);
    SCOPED_TRACE("case " + std::to_string(i) + " of --gtest_random_seed=" + std::to_string(seed) +
                 ": " + testing::PrintToString(c));
    expect_parity(c);
  }
}

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
