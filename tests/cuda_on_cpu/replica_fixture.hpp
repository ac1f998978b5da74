#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include <lockstep/train/run.hpp>

#include "gpu_machine.hpp"
#include "grid.hpp"
#include "job.hpp"

namespace lockstep::replica_tests {

using ::cuda_on_cpu::machine;

/// An epoch of 10 steps of 64 samples with 16 units.
RunConfig small_run(const std::string& device = "auto");

/// An epoch of short_steps steps of 10 samples, of few rows, with 3 units.
RunConfig short_run(const std::string& device = "auto");
constexpr std::size_t short_steps = 12;

/// The state after the steps from `from` on to step `to`.
TrainingState advance(const TrainingState& from, std::uint64_t to, const RunConfig& config,
                      std::size_t ranks);

class DeviceReplica : public testing::Test {
 protected:
  void SetUp() override {
    machine.gpus = 1;
    machine.nccl = false;
    machine.sums = 0;
    machine.misuses = 0;
    cuda_on_cpu::control = {};
  }
  void TearDown() override {
    EXPECT_EQ(machine.misuses, 0);
    EXPECT_THAT(cuda_on_cpu::control.reports, testing::IsEmpty());
  }

  /// The run on the stand-in is that of `reference` on the CPU.
  void expect_same(RunConfig config, std::size_t ranks);
};

}  // namespace lockstep::replica_tests
