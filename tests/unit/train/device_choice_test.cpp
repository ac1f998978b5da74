#include "device_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include <lockstep/comm/device_reducer.hpp>

namespace lockstep {
namespace {

RunConfig asked(const std::string& device, const std::string& comm = "auto",
                const std::string& engine = "auto") {
  RunConfig config;
  config.device = device;
  config.comm.name = comm;
  config.engine.name = engine;
  return config;
}

/// A host with so many GPUs.
Machine host(std::size_t gpus, bool nccl = true) {
  Machine machine;
  machine.nccl = nccl;
  machine.survey.outcome = gpus > 0 ? GpuSurvey::Outcome::found : GpuSurvey::Outcome::no_driver;
  machine.survey.host = "node7";
  machine.survey.architectures = "90";
  for (std::size_t i = 0; i < gpus; ++i) machine.survey.gpus.push_back({"NVIDIA H200", 90, 1 + i});
  return machine;
}

Machine sharing_host(bool nccl_takes_them) {
  Machine machine = host(1);
  machine.gpus_may_be_shared = true;
  machine.nccl_shares_gpus = nccl_takes_them;
  return machine;
}

struct Chosen {
  std::vector<int> gpus;  // of each rank; -1: the CPU
  bool nccl = false;
  std::string header;  // rank 0's
};

Chosen choose(std::size_t ranks, const RunConfig& config, const Machine& machine) {
  Chosen chosen;
  chosen.gpus.resize(ranks);
  run_on_threads(ranks, [&](Communicator& world) {
    const DeviceChoice own = choose_device(config, machine, world);
    chosen.gpus[world.rank()] = own.gpu ? static_cast<int>(*own.gpu) : -1;
    if (world.rank() > 0) return;
    chosen.nccl = own.nccl;
    chosen.header = describe(own, world);
  });
  return chosen;
}

void expect_refusal(std::size_t ranks, const RunConfig& config, const Machine& machine,
                    const std::string& line) {
  try {
    choose(ranks, config, machine);
    ADD_FAILURE() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_EQ(error.what(), line);
  }
}

using testing::Each;
using testing::ElementsAre;

TEST(DeviceChoice, auto_takes_the_cpu_where_no_gpu_answers_and_says_why) {
  const Chosen chosen = choose(2, asked("auto"), host(0));
  EXPECT_THAT(chosen.gpus, Each(-1));
  EXPECT_FALSE(chosen.nccl);
  EXPECT_EQ(chosen.header, ", on the CPU: no NVIDIA driver on node7");
}

TEST(DeviceChoice, cuda_is_refused_where_no_gpu_answers) {
  expect_refusal(1, asked("cuda"), host(0),
                 "--device cuda on rank 0: no NVIDIA driver on node7; install one, until "
                 "nvidia-smi lists the GPU (in a container: start it with its GPUs), or use "
                 "--device auto");
}

TEST(DeviceChoice, a_gpu_that_is_not_asked_for_is_left_alone) {
  for (const RunConfig& config : {asked("cpu"), asked("auto", "auto", "simd")}) {
    const Chosen chosen = choose(2, config, host(2));
    EXPECT_THAT(chosen.gpus, Each(-1));
    EXPECT_EQ(chosen.header, "");
  }
}

TEST(DeviceChoice, each_rank_gets_its_gpu_and_nccl_sums) {
  for (const char* device : {"auto", "cuda"}) {
    const Chosen chosen = choose(3, asked(device), host(4));
    EXPECT_THAT(chosen.gpus, ElementsAre(0, 1, 2));
    EXPECT_TRUE(chosen.nccl);
    EXPECT_EQ(chosen.header,
              ", on NVIDIA H200, sums over " + nccl_description() + ": each rank has its own GPU");
  }
}

TEST(DeviceChoice, one_rank_sums_nothing_unless_it_is_asked_to) {
  EXPECT_FALSE(choose(1, asked("auto"), host(1)).nccl);
  EXPECT_EQ(choose(1, asked("auto"), host(1)).header, ", on NVIDIA H200");
  EXPECT_TRUE(choose(1, asked("auto", "nccl"), host(1)).nccl);
}

TEST(DeviceChoice, the_sums_are_those_of_the_communicator_where_that_is_asked_for) {
  const Chosen chosen = choose(2, asked("cuda", "mpi"), host(2));
  EXPECT_FALSE(chosen.nccl);
  EXPECT_EQ(chosen.header, ", on NVIDIA H200, sums over threads of one process");
}

TEST(DeviceChoice, a_build_without_nccl_sums_by_the_communicator_and_says_so) {
  EXPECT_EQ(choose(2, asked("auto"), host(2, false)).header,
            ", on NVIDIA H200, sums over threads of one process: this build has no NCCL");
}

TEST(DeviceChoice, ranks_beyond_the_gpus_take_the_cpu) {
  const Chosen chosen = choose(3, asked("auto"), host(2));
  EXPECT_THAT(chosen.gpus, ElementsAre(0, 1, -1));
  EXPECT_FALSE(chosen.nccl);
  EXPECT_EQ(chosen.header,
            ", on GPUs on 2 of 3 ranks, sums over threads of one process: not every rank can use "
            "NCCL");
}

TEST(DeviceChoice, cuda_is_refused_where_ranks_are_more_than_gpus) {
  expect_refusal(3, asked("cuda"), host(2),
                 "--device cuda on rank 2: lower ranks have taken all 2 GPUs of node7; start one "
                 "rank a GPU, or use --device auto");
}

TEST(DeviceChoice, ranks_share_a_gpu_where_that_is_asked_for) {
  const Chosen by_nccl = choose(4, asked("cuda"), sharing_host(true));
  EXPECT_THAT(by_nccl.gpus, Each(0));
  EXPECT_TRUE(by_nccl.nccl);
  const Chosen by_mpi = choose(4, asked("cuda"), sharing_host(false));
  EXPECT_THAT(by_mpi.gpus, Each(0));
  EXPECT_FALSE(by_mpi.nccl);
}

TEST(DeviceChoice, nccl_is_refused_where_it_can_not_be) {
  expect_refusal(2, asked("auto", "nccl"), host(2, false),
                 "--comm nccl on rank 0: this build has no NCCL; use --comm auto");
  expect_refusal(2, asked("auto", "nccl"), host(1),
                 "--comm nccl on rank 1: not every rank has a GPU (lower ranks have taken the only "
                 "GPU of node7); use --comm auto");
  expect_refusal(2, asked("auto", "nccl"), sharing_host(false),
                 "--comm nccl on rank 0: ranks share a GPU, which this NCCL does not take; use "
                 "--comm auto");
}

TEST(DeviceChoice, the_engine_torch_takes_a_gpu_only_where_that_is_asked_for) {
  EXPECT_THAT(choose(2, asked("auto", "auto", "torch"), host(2)).gpus, Each(-1));
  const Chosen chosen = choose(2, asked("cuda", "auto", "torch"), host(2));
  EXPECT_THAT(chosen.gpus, ElementsAre(0, 1));
  EXPECT_FALSE(chosen.nccl);
  EXPECT_EQ(chosen.header,
            ", on NVIDIA H200, sums over threads of one process: the engine torch sums in the "
            "host's memory");
  expect_refusal(1, asked("cuda", "nccl", "torch"), host(1),
                 "--comm nccl on rank 0: the engine torch sums in the host's memory; use --comm "
                 "auto");
}

TEST(DeviceChoice, an_instruction_set_keeps_the_ranks_on_the_cpu) {
  RunConfig config = asked("auto");
  config.engine.isa = "avx2";
  EXPECT_THAT(choose(2, config, host(2)).gpus, Each(-1));
}

TEST(DeviceChoice, options_that_contradict_each_other_are_refused) {
  expect_refusal(1, asked("cuda", "auto", "simd"), host(1),
                 "--device cuda: --engine simd computes on the CPU; leave one of them out");
  RunConfig avx2 = asked("cuda");
  avx2.engine.isa = "avx2";
  expect_refusal(1, avx2, host(1),
                 "--device cuda: --isa avx2 computes on the CPU; leave one of them out");
  expect_refusal(1, asked("cpu", "nccl"), host(1),
                 "--comm nccl sums in the memory of GPUs, but --device cpu computes on the CPU; "
                 "leave one of them out");
  expect_refusal(1, asked("auto", "nccl", "reference"), host(1),
                 "--comm nccl sums in the memory of GPUs, but --engine reference computes on the "
                 "CPU; leave one of them out");
}

TEST(DeviceChoice, who_has_chosen_keeps_the_gpu_when_others_are_lost) {
  std::vector<int> kept(4, -2);
  run_on_threads(4, [&](Communicator& world) {
    const std::size_t number = world.rank();
    const DeviceChoice first = choose_device(asked("auto"), host(3), world);
    if (number == 0) throw RankDeath();
    EXPECT_THROW(world.settle(), RankLost);
    world.recover();
    const DeviceChoice later = choose_device(asked("auto"), host(3), world, first);
    kept[number] = later.gpu ? static_cast<int>(*later.gpu) : -1;
    EXPECT_EQ(later.ranks_on_gpus, 2);
  });
  EXPECT_THAT(kept, ElementsAre(-2, 1, 2, -1));
}

}  // namespace
}  // namespace lockstep
