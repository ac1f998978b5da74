#include <lockstep/core/team.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

#include <lockstep/core/processors.hpp>

namespace lockstep {
namespace {

TEST(Team, every_worker_runs_each_job_once) {
  for (const std::size_t size : {1u, 2u, 3u, 8u}) {
    Team team(size);
    std::vector<int> calls(size);
    for (int i = 0; i < 500; ++i) team.run([&](std::size_t worker) { ++calls[worker]; });
    EXPECT_EQ(calls, std::vector<int>(size, 500));
  }
}

TEST(Team, a_jobs_exception_reaches_the_caller_and_the_team_goes_on) {
  Team team(3);
  EXPECT_THROW(team.run([](std::size_t worker) {
    if (worker == 2) throw std::runtime_error("worker 2");
  }),
               std::runtime_error);
  std::atomic<int> calls = 0;
  team.run([&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 3);
}

TEST(Team, leaves_the_caller_its_processors) {
  const std::vector<int> before = allowed_processors();
  { Team team(std::min<std::size_t>(before.size(), 4)); }
  EXPECT_EQ(allowed_processors(), before);
}

TEST(Processors, at_least_one_is_allowed_and_granted) {
  EXPECT_GE(allowed_processors().size(), 1u);
  EXPECT_GT(processor_quota(), 0.0);
}

}  // namespace
}  // namespace lockstep
