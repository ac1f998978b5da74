// Prints one line for each case; ends with 1 at the first in which `simd` on NEON has not the bits
// of `reference`.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>

#include <lockstep/model/engine.hpp>

#include "pictures.hpp"

namespace lockstep {
namespace {

enum class Values { usual, large, not_a_number };

struct Case {
  ModelShape shape;
  std::size_t samples;
  Values values = Values::usual;
};

std::vector<float> parameters_of(const Case& c, std::uint64_t seed) {
  auto parameters = some_parameters(c.shape, seed);
  const auto [kernel, bias, head, head_bias] = tensors(c.shape);
  if (c.values == Values::large) {  // beyond the range in which gradients are rounded by vectors
    for (std::size_t i = 0; i < head.size(); ++i) parameters[head.offset + i] *= 1000.0f;
  }
  if (c.values == Values::not_a_number) {
    parameters[bias.offset] = std::numeric_limits<float>::quiet_NaN();
  }
  return parameters;
}

/// What an engine gave in two rounds, in which both parameters and pictures differ.
struct Outcome {
  std::vector<std::int64_t> sum;
  std::vector<std::int64_t> tallies;
  std::vector<float> probabilities;
};

void append(const Tally& tally, std::vector<std::int64_t>& tallies) {
  tallies.insert(tallies.end(), {tally.loss, tally.correct, tally.invalid});
}

Outcome outcome(const EngineConfig& config, const Case& c) {
  const auto engine = make_engine(config, c.shape);
  Outcome result;
  result.sum.resize(parameter_count(c.shape));
  const std::size_t values = c.samples * c.shape.classes;
  for (const std::size_t round : {0, 1}) {
    const Pictures pictures(c.shape, c.samples, round);
    engine->set_parameters(parameters_of(c, round));
    append(engine->add_gradient(pictures.batch(), result.sum, 0), result.tallies);
    result.probabilities.resize((round + 1) * values);
    const auto probabilities = std::span(result.probabilities).subspan(round * values);
    append(engine->evaluate(pictures.batch(), probabilities, 0), result.tallies);
  }
  return result;
}

/// All NaNs are one: no arithmetic says which of them an operation gives.
bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

const char* difference(const Outcome& found, const Outcome& expected) {
  if (found.tallies != expected.tallies) return "the tallies differ";
  if (found.sum != expected.sum) return "the gradients differ";
  if (!std::ranges::equal(found.probabilities, expected.probabilities, same)) {
    return "the probabilities differ";
  }
  return nullptr;
}

bool holds(const Case& c) {
  constexpr const char* kinds[] = {"", ", large values", ", a NaN"};
  const Outcome expected = outcome({.name = "reference"}, c);
  for (const bool dense : {false, true}) {
    const Outcome found = outcome({.name = "simd", .isa = "neon", .dense = dense}, c);
    const char* const what = difference(found, expected);
    std::printf("%zux%zu, %zu units, %zu classes, %zu samples%s, %s: %s\n", c.shape.rows,
                c.shape.columns, c.shape.hidden, c.shape.classes, c.samples,
                kinds[static_cast<std::size_t>(c.values)], dense ? "dense" : "zeros skipped",
                what == nullptr ? "the same bits" : what);
    if (what != nullptr) return false;
  }
  return true;
}

const Case cases[] = {
    {{28, 28, 128, 10}, 20},
    {{28, 28, 1, 10}, 8},
    {{28, 28, 37, 10}, 9},
    {{3, 3, 8, 10}, 1},
    {{3, 28, 128, 2}, 3},
    {{28, 3, 37, 47}, 17},
    {{11, 17, 8, 3}, 13},
    {{7, 70, 33, 26}, 6},
    {{5, 16, 66, 10}, 8},
    {{2, 9, 257, 5}, 7},
    {{4, 6, 20, 3}, 8, Values::large},
    {{4, 6, 20, 3}, 8, Values::not_a_number},
};

}  // namespace
}  // namespace lockstep

int main() try {
  return std::ranges::all_of(lockstep::cases, lockstep::holds) ? 0 : 1;
} catch (const std::exception& error) {
  std::puts(error.what());
  return 1;
}
