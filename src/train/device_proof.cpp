#include "device_proof.hpp"

#include <fmt/format.h>

#include <bit>
#include <vector>

#include <lockstep/core/error.hpp>

#include "device_replica.hpp"
#include "host_replica.hpp"

namespace lockstep {
namespace {

void expect_same_bits(const std::string& gpu, const char* block, const std::vector<float>& found,
                      const std::vector<float>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(found[i]) == std::bit_cast<std::uint32_t>(expected[i])) {
      continue;
    }
    throw Error(
        ExitCode::internal,
        fmt::format("{} does not give the CPU's bits: after a step on trial {} {} is {:.9g} "
                    "there, not {:.9g}; run with --device cpu, and report it",
                    gpu, block, i, found[i], expected[i]));
  }
}

}  // namespace

void expect_same_bits(const std::string& gpu, const TrainingState& found,
                      const TrainingState& expected) {
  expect_same_bits(gpu, "weight", found.parameters, expected.parameters);
  expect_same_bits(gpu, "first moment", found.first_moment, expected.first_moment);
  expect_same_bits(gpu, "second moment", found.second_moment, expected.second_moment);
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
  host.step(1, {});
  const auto device = make_device_replica(shape, limit, parameters, std::span(&shard, 1),
                                          shard.share(), *alone, nullptr, adam, schedule);
  device->step(1, {});
  expect_same_bits(gpu, device->state(), host.state());
}

}  // namespace lockstep
