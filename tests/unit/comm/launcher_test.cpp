#include "launcher.hpp"

#include <gtest/gtest.h>

#include <map>

namespace lockstep {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Launch> detect(const Variables& variables) {
  return detect_launch([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

void expect_launch(const Variables& variables, const std::string& launcher, std::size_t size,
                   std::size_t rank) {
  const auto launch = detect(variables);
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->launcher, launcher);
  EXPECT_EQ(launch->size, size);
  EXPECT_EQ(launch->rank, rank);
}

TEST(Launcher, a_shell_is_none) {
  EXPECT_FALSE(detect({{"HOME", "/root"}}));
}

TEST(Launcher, open_mpi_says_size_and_rank) {
  expect_launch({{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}, {"PMIX_RANK", "3"}},
                "mpirun", 4, 3);
}

TEST(Launcher, another_mpi_says_size_and_rank_through_pmi) {
  expect_launch({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}, "mpirun", 2, 1);
}

TEST(Launcher, srun_of_several_tasks_is_one_with_pmix_and_without) {
  Variables step = {{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "5"}, {"SLURM_NTASKS", "8"}};
  expect_launch(step, "srun", 8, 5);
  step.emplace("PMIX_RANK", "5");
  expect_launch(step, "srun", 8, 5);
}

TEST(Launcher, a_shell_in_an_allocation_is_none) {
  EXPECT_FALSE(detect({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}));
  EXPECT_FALSE(detect({{"SLURM_JOB_ID", "7"},
                       {"SLURM_NTASKS", "8"},
                       {"SLURM_STEP_NUM_TASKS", "1"},
                       {"SLURM_PROCID", "0"},
                       {"PMIX_RANK", "0"}}));
}

TEST(Launcher, mpirun_in_an_allocation_goes_before_the_step_of_its_daemons) {
  expect_launch({{"SLURM_STEP_NUM_TASKS", "2"},
                 {"SLURM_PROCID", "1"},
                 {"OMPI_COMM_WORLD_SIZE", "6"},
                 {"OMPI_COMM_WORLD_RANK", "4"}},
                "mpirun", 6, 4);
}

TEST(Launcher, an_unknown_pmix_launcher_says_no_size) {
  expect_launch({{"PMIX_RANK", "2"}}, "an MPI launcher", 0, 2);
}

TEST(Launcher, nonsense_is_no_size) {
  expect_launch({{"PMI_SIZE", "many"}, {"PMI_RANK", ""}}, "mpirun", 0, 0);
}

}  // namespace
}  // namespace lockstep
