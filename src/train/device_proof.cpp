#include "device_proof.hpp"

#include <fmt/format.h>

#include <bit>
#include <string_view>
#include <vector>

#include <lockstep/core/error.hpp>

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

void expect_same_bits(const std::string& gpu, std::uint64_t step, const char* block,
                      std::span<const float> found, std::span<const float> expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(found[i]) == std::bit_cast<std::uint32_t>(expected[i])) {
      continue;
    }
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

/// Takes the steps on trial; fewer where a step comes out non-finite, as it would with a learning
/// rate that is far too large. Returns the last.
std::uint64_t take_steps(Replica& host, TrainingState& after_first) {
  std::uint64_t step = 0;
  try {
    while (step < trial_steps) {
      host.step(step + 1, {});
      if (++step == 1) after_first = host.state();
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::non_finite) throw;
  }
  return step;
}

void expect_same_evaluation(const std::string& gpu, Replica& device, Replica& host,
                            const Batch& batch, std::size_t classes) {
  std::vector<float> found(batch.size() * classes), expected(found.size());
  Tally tally;
  on_trial(gpu, [&] { tally = device.evaluate(batch, found); });
  const Tally right = host.evaluate(batch, expected);
  const std::uint64_t step = device.state().step;
  expect_same_bits(gpu, step, "probability", found, expected);
  if (tally.loss != right.loss || tally.correct != right.correct) {
    refuse(gpu, fmt::format("after step {} on trial the loss of {} images is {} there, not {}",
                            step, batch.size(), tally.loss, right.loss));
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
  TrainingState after_first;
  const std::uint64_t last = take_steps(host, after_first);
  if (last == 0) return;
  on_trial(gpu, [&] { device->step(1, {}); });
  expect_same_bits(gpu, device->state(), after_first);
  on_trial(gpu, [&] {
    for (std::uint64_t step = 2; step <= last; ++step) device->step(step, {.until = last});
  });
  expect_same_bits(gpu, device->state(), host.state());
}

}  // namespace lockstep
