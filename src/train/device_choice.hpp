#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/gpus.hpp>
#include <lockstep/train/run.hpp>

namespace lockstep {

/// What the build and this rank's host offer.
struct Machine {
  GpuSurvey survey;
  bool nccl = false;                // the build has it
  bool nccl_shares_gpus = false;    // it takes several ranks on one GPU
  bool gpus_may_be_shared = false;  // asked for, by NCCL_MULTI_RANK_GPU_ENABLE=1
};
Machine this_machine();

/// What a rank computes on.
struct DeviceChoice {
  std::optional<std::size_t> gpu;  // its place in CUDA's order; else the rank computes on the CPU
  std::uint64_t gpu_id = 0;
  std::string gpu_name;
  int gpu_capability = 0;  // as Gpu::capability
  bool nccl = false;       // the ranks' sums are NCCL's, on all ranks; else the communicator's
  std::size_t ranks_on_gpus = 0;
  std::string reason;  // why no GPU, or why (no) NCCL, where that was chosen here
};

/// For the header, after the engine: ", on the CPU: no NVIDIA driver on node7", or nothing where
/// the CPU was asked for.
std::string describe(const DeviceChoice& choice, const Communicator& world);

/// Whether a run with these options may compute on a GPU at all. Throws Error (usage) where they
/// contradict each other.
bool may_use_gpu(const RunConfig& config);

/// Chooses by --device, --engine and --comm. A rank that has chosen before (`before`) keeps its
/// GPU. Collective. Throws Error (usage) on all ranks, with the line on one, where what was asked
/// for can't be had.
DeviceChoice choose_device(const RunConfig& config, const Machine& machine, Communicator& world,
                           const std::optional<DeviceChoice>& before = std::nullopt);

}  // namespace lockstep
