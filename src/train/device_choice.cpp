#include "device_choice.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include <lockstep/comm/device_reducer.hpp>
#include <lockstep/comm/gpu_share.hpp>

namespace lockstep {

namespace {

[[noreturn]] void refuse(const std::string& line) {
  throw Error(ExitCode::usage, line);
}

/// The GPUs that this rank may take: all that it can use, or the one that it has.
std::vector<std::size_t> candidates(const RunConfig& config, const UsableGpus& usable,
                                    const std::optional<DeviceChoice>& before) {
  if (!before) return may_use_gpu(config) ? usable.places : std::vector<std::size_t>{};
  return before->gpu ? std::vector{*before->gpu} : std::vector<std::size_t>{};
}

std::string counted_gpus(std::size_t n) {
  return n == 1 ? "the only GPU" : fmt::format("all {} GPUs", n);
}

/// Why a rank that may have a GPU has none, with the way out.
void explain_no_gpu(const RunConfig& config, const Machine& machine, const UsableGpus& usable,
                    std::size_t rank, DeviceChoice& choice) {
  std::string reason = usable.reason;
  std::string remedy = usable.remedy;
  if (reason.empty()) {
    reason = fmt::format("lower ranks have taken {} of {}", counted_gpus(usable.places.size()),
                         machine.survey.host);
    remedy = "start one rank a GPU";
  }
  choice.reason = reason;
  if (config.device != "cuda") return;
  refuse(
      fmt::format("--device cuda on rank {}: {}; {}, or use --device auto", rank, reason, remedy));
}

/// It computes on the CPU unless a GPU is asked for, and hands its gradient to the host there too.
bool is_torch_on_gpu(const RunConfig& config) {
  return config.engine.name == "torch" && config.device == "cuda";
}

/// What keeps a rank on the CPU; empty if nothing does.
std::string option_of_cpu(const RunConfig& config) {
  const EngineConfig& engine = config.engine;
  if (engine.name != "auto" && !is_torch_on_gpu(config)) return "--engine " + engine.name;
  if (engine.isa != "auto") return "--isa " + engine.isa;
  return config.device == "cpu" ? "--device cpu" : "";
}

/// Why the ranks' sums can't be NCCL's, which takes them in GPUs' memory; empty if they can.
std::string obstacle_to_nccl(const RunConfig& config, const Machine& machine,
                             const DeviceChoice& choice, bool shared) {
  if (!machine.nccl) return "this build has no NCCL";
  if (is_torch_on_gpu(config)) return "the engine torch sums in the host's memory";
  if (!choice.gpu) return "not every rank has a GPU";
  if (shared && !machine.nccl_shares_gpus)
    return "ranks share a GPU, which this NCCL does not take";
  return "";
}

/// Whether all ranks say yes. Collective.
bool all_say(Communicator& world, bool yes) {
  std::int64_t count = yes;
  all_reduce_checked(world, {&count, 1});
  return count == static_cast<std::int64_t>(world.size());
}

void choose_sums(const RunConfig& config, const Machine& machine, Communicator& world, bool shared,
                 DeviceChoice& choice) {
  const std::string obstacle = obstacle_to_nccl(config, machine, choice, shared);
  const bool possible = all_say(world, obstacle.empty());
  const std::string& comm = config.comm.name;
  agree(world, [&] {
    if (comm != "nccl" || obstacle.empty()) return;
    refuse(fmt::format("--comm nccl on rank {}: {}{}; use --comm auto", world.rank(), obstacle,
                       choice.reason.empty() ? "" : " (" + choice.reason + ")"));
  });
  choice.nccl = possible && (comm == "nccl" || (comm == "auto" && world.size() > 1));
  if (!choice.gpu || world.size() == 1) return;
  if (choice.nccl) choice.reason = shared ? "ranks share a GPU" : "each rank has its own GPU";
  if (!choice.nccl && comm == "auto") {
    choice.reason = obstacle.empty() ? "not every rank can use NCCL" : obstacle;
  }
}

}  // namespace

Machine this_machine() {
  const char* asked = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
  return {survey_gpus(), nccl_is_built_in(), nccl_is_built_in() && nccl_shares_gpus(),
          asked != nullptr && std::string_view(asked) == "1"};
}

bool may_use_gpu(const RunConfig& config) {
  const std::string on_cpu = option_of_cpu(config);
  if (on_cpu.empty()) return true;
  if (config.device == "cuda") {
    refuse(fmt::format("--device cuda: {} computes on the CPU; leave one of them out", on_cpu));
  }
  if (config.comm.name == "nccl") {
    refuse(
        fmt::format("--comm nccl sums in the memory of GPUs, but {} computes on the CPU; leave "
                    "one of them out",
                    on_cpu));
  }
  return false;
}

DeviceChoice choose_device(const RunConfig& config, const Machine& machine, Communicator& world,
                           const std::optional<DeviceChoice>& before) {
  std::vector<std::size_t> places;
  const UsableGpus usable = usable_gpus(machine.survey);
  agree(world, [&] { places = candidates(config, usable, before); });
  std::vector<std::uint64_t> ids;
  for (const std::size_t place : places) ids.push_back(machine.survey.gpus[place].id);
  const GpuShare share = share_gpus(world, ids, machine.gpus_may_be_shared);
  DeviceChoice choice;
  agree(world, [&] {
    if (share.own) {
      choice.gpu = places[*share.own];
      choice.gpu_id = ids[*share.own];
      choice.gpu_name = machine.survey.gpus[*choice.gpu].name;
      choice.gpu_capability = machine.survey.gpus[*choice.gpu].capability;
    } else if (may_use_gpu(config)) {
      explain_no_gpu(config, machine, usable, world.rank(), choice);
    }
  });
  choice.ranks_on_gpus = share.takers;
  choose_sums(config, machine, world, share.shared, choice);
  return choice;
}

std::string describe(const DeviceChoice& choice, const Communicator& world) {
  const std::string reason = choice.reason.empty() ? "" : ": " + choice.reason;
  if (choice.ranks_on_gpus == 0) return reason.empty() ? "" : ", on the CPU" + reason;
  std::string text = ", on ";
  text += choice.ranks_on_gpus < world.size()
              ? fmt::format("GPUs on {} of {} ranks", choice.ranks_on_gpus, world.size())
              : choice.gpu_name;
  if (world.size() == 1 && !choice.nccl) return text + reason;
  return text + ", sums over " + (choice.nccl ? nccl_description() : world.description()) + reason;
}

}  // namespace lockstep
