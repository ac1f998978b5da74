// All ranks but one kill themselves, one after another; see CMakeLists.txt.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>

#include <lockstep/comm/session.hpp>

#include "survival.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  lockstep::Session session({"mpi"});
  lockstep::lose_all_but_one(session.world(), [] { std::raise(SIGKILL); });
  if (testing::Test::HasFailure()) return 1;
  std::puts("the last rank is well");
  std::fflush(stdout);
}
