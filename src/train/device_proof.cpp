#include "device_proof.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <string_view>
#include <vector>

#include <lockstep/core/error.hpp>
#include <lockstep/core/fixed_point.hpp>

#include "device_replica.hpp"
#include "host_replica.hpp"

namespace lockstep {
namespace {

/// The first step runs without a graph, those after it in one.
constexpr std::uint64_t trial_steps = 9;

[[noreturn]] void refuse(const std::string& gpu, const std::string& difference) {
  throw Error(
      ExitCode::internal,
      fmt::format("{} does not give the CPU's bits: {}; run with --device cpu, and report it", gpu,
                  difference));
}

/// Two that are no numbers are the same: their bits are each processor's own, and such a weight
/// ends the training.
bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

void expect_same_bits(const std::string& gpu, std::uint64_t step, const char* block,
                      std::span<const float> found, std::span<const float> expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (same_bits(found[i], expected[i])) continue;
    refuse(gpu, fmt::format("after step {} on trial {} {} is {:.9g} there, not {:.9g}", step, block,
                            i, found[i], expected[i]));
  }
}

/// What the GPU does on trial: a failure there is one to give the CPU's bits.
template <typename Work>
void on_trial(const std::string& gpu, const Work& work) {
  try {
    work();
  } catch (const Error& failure) {
    const std::string_view line = failure.what();
    refuse(gpu, fmt::format("a step on trial failed: {}", line.substr(0, line.find(';'))));
  }
}

void expect_same_tally(const std::string& gpu, std::uint64_t step, const Tally& found,
                       const Tally& expected) {
  if (found.loss == expected.loss && found.correct == expected.correct) return;
  refuse(gpu, fmt::format("after step {} on trial the loss is {} there, not {}, and {} images are "
                          "right, not {}",
                          step, loss_from_fixed(found.loss), loss_from_fixed(expected.loss),
                          found.correct, expected.correct));
}

/// What the steps on trial came to on the CPU.
struct Expected {
  std::vector<Tally> tallies;
  TrainingState after_first;

  std::uint64_t steps() const noexcept { return tallies.size(); }
};

/// Takes the steps; fewer where one comes out non-finite, as it would with a learning rate that is
/// far too large.
Expected take_steps(Replica& host) {
  Expected result;
  try {
    while (result.steps() < trial_steps) {
      result.tallies.push_back(host.step(result.steps() + 1, {}).tally);
      if (result.steps() == 1) result.after_first = host.state();
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::non_finite) throw;
  }
  return result;
}

void expect_same_evaluation(const std::string& gpu, Replica& device, Replica& host,
                            const Batch& batch, std::size_t classes) {
  std::vector<float> found(batch.size() * classes), expected(found.size());
  Tally tally;
  on_trial(gpu, [&] { tally = device.evaluate(batch, found); });
  const Tally right = host.evaluate(batch, expected);
  const std::uint64_t step = device.state().step;
  expect_same_bits(gpu, step, "probability", found, expected);
  expect_same_tally(gpu, step, tally, right);
}

/// Steps [first, last], launched together.
void expect_same_steps(const std::string& gpu, Replica& device, std::uint64_t first,
                       std::uint64_t last, const Expected& expected) {
  for (std::uint64_t step = first; step <= last; ++step) {
    Tally tally;
    on_trial(gpu, [&] { tally = device.step(step, {.until = last}).tally; });
    expect_same_tally(gpu, step, tally, expected.tallies[step - 1]);
  }
}

}  // namespace

void expect_same_bits(const std::string& gpu, const TrainingState& found,
                      const TrainingState& expected) {
  const std::uint64_t step = expected.step;
  expect_same_bits(gpu, step, "first moment", found.first_moment, expected.first_moment);
  expect_same_bits(gpu, step, "second moment", found.second_moment, expected.second_moment);
  expect_same_bits(gpu, step, "weight", found.parameters, expected.parameters);
}

void prove_device(const std::string& gpu, const ModelShape& shape, float limit,
                  std::span<const float> parameters, const LocalShard& shard,
                  const AdamConfig& adam, const Schedule& schedule) {
  const auto alone = make_local_communicator();
  EngineConfig engine;
  engine.limit = limit;
  Team team(1);
  HostReplica host({parameters.begin(), parameters.end()}, {shard}, shard.share(),
                   make_engine(engine, shape), *alone, team, adam, schedule);
  const auto device = make_device_replica(shape, limit, parameters, std::span(&shard, 1),
                                          shard.share(), *alone, nullptr, adam, schedule);
  LocalShard images = shard;
  expect_same_evaluation(gpu, *device, host, images.batch(1), shape.classes);
  const Expected expected = take_steps(host);
  if (expected.steps() == 0) return;
  expect_same_steps(gpu, *device, 1, 1, expected);
  expect_same_bits(gpu, device->state(), expected.after_first);
  expect_same_steps(gpu, *device, 2, expected.steps(), expected);
  expect_same_bits(gpu, device->state(), host.state());
}

}  // namespace lockstep
