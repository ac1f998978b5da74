// The gradient against two judges of its own kind: finite differences and LibTorch's autograd.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include <lockstep/core/error.hpp>
#include <lockstep/core/fixed_point.hpp>
#include <lockstep/model/engine.hpp>

#include "pictures.hpp"

namespace lockstep {
namespace {

std::vector<double> gradient(Engine& engine, const std::vector<float>& parameters,
                             const Batch& batch) {
  std::vector<std::int64_t> sum(parameters.size());
  engine.set_parameters(parameters);
  EXPECT_EQ(engine.add_gradient(batch, sum, 0).invalid, 0u);
  std::vector<double> result;
  for (const std::int64_t value : sum) result.push_back(from_fixed(value));
  return result;
}

/// |a - b| / |b| over a tensor's values.
double relative_distance(const Tensor& t, const std::vector<double>& a,
                         const std::vector<double>& b) {
  double distance = 0;
  double length = 0;
  for (std::size_t i = t.offset; i < t.offset + t.size(); ++i) {
    distance += (a[i] - b[i]) * (a[i] - b[i]);
    length += b[i] * b[i];
  }
  return std::sqrt(distance / length);
}

class Gradient : public testing::TestWithParam<const char*> {};

TEST_P(Gradient, agrees_with_finite_differences_in_every_tensor) {
  const ModelShape shape{6, 5, 12, 4};
  const Pictures pictures(shape, 16);
  const auto engine = make_engine({.name = GetParam()}, shape);
  auto parameters = some_parameters(shape);
  const auto exact = gradient(*engine, parameters, pictures.batch());
  std::vector<double> differences(parameters.size());
  constexpr float step = 0x1p-8f;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const float middle = parameters[i];
    double losses[2];
    for (const int side : {0, 1}) {
      parameters[i] = middle + (side ? step : -step);
      engine->set_parameters(parameters);
      losses[side] = loss_from_fixed(engine->evaluate(pictures.batch(), {}, 0).loss);
    }
    parameters[i] = middle;
    differences[i] = (losses[1] - losses[0]) / (2 * step);
  }
  for (const Tensor& t : tensors(shape)) {
    EXPECT_LT(relative_distance(t, differences, exact), 1e-3) << t.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, Gradient, testing::Values("reference", "auto"));

/// On the CPU, or on the first GPU.
class TorchEngine : public testing::TestWithParam<std::optional<std::size_t>> {};

TEST_P(TorchEngine, agrees_with_the_default_engine_to_1e_5_in_every_tensor) {
  const ModelShape shape;
  const Pictures pictures(shape, 128);
  std::unique_ptr<Engine> torch;
  try {
    torch = make_engine({.name = "torch", .gpu = GetParam()}, shape);
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const auto engine = make_engine({}, shape);
  const auto parameters = some_parameters(shape);
  const auto expected = gradient(*torch, parameters, pictures.batch());
  const auto found = gradient(*engine, parameters, pictures.batch());
  for (const Tensor& t : tensors(shape)) {
    EXPECT_LT(relative_distance(t, found, expected), 1e-5) << t.name;
  }
  std::vector<float> probabilities(1280);
  std::vector<float> expected_probabilities(1280);
  const Tally tally = engine->evaluate(pictures.batch(), probabilities, 0);
  const Tally expected_tally = torch->evaluate(pictures.batch(), expected_probabilities, 0);
  EXPECT_EQ(tally.correct, expected_tally.correct);
  EXPECT_NEAR(loss_from_fixed(tally.loss), loss_from_fixed(expected_tally.loss), 1e-3);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    EXPECT_NEAR(probabilities[i], expected_probabilities[i], 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, TorchEngine, testing::Values(std::nullopt, 0),
                         [](const auto& device) { return device.param ? "gpu" : "cpu"; });

TEST(TorchEngineOnGpu, without_a_gpu_is_refused_in_one_line) {
  try {
    make_engine({.name = "torch", .gpu = 0}, ModelShape{});
    GTEST_SKIP() << "this machine has a GPU that LibTorch can use";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    EXPECT_TRUE(line.find("or use --device cpu") != std::string::npos ||
                line.find("no LibTorch") != std::string::npos)
        << line;
  }
}

}  // namespace
}  // namespace lockstep
