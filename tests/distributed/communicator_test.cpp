#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include <lockstep/core/error.hpp>

#include "comm_behaviour.hpp"
#include "world.hpp"

namespace lockstep {
namespace {

class MpiCommunicator : public testing::TestWithParam<CommBehaviour> {};

TEST_P(MpiCommunicator, behaves) {
  GetParam().check(test_world());
}

INSTANTIATE_TEST_SUITE_P(Mpi, MpiCommunicator, testing::ValuesIn(comm_behaviours()),
                         [](const auto& test) { return test.param.name; });

TEST(MpiCommunicatorName, tells_library_and_version) {
  EXPECT_EQ(test_world().name(), "mpi");
  EXPECT_THAT(test_world().description(), testing::ContainsRegex("^[A-Z].* [0-9]+\\.[0-9]"));
}

TEST(MpiCommunicatorName, has_the_size_that_mpirun_was_told) {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (size == nullptr) GTEST_SKIP() << "not started by Open MPI's mpirun";
  EXPECT_EQ(std::to_string(test_world().size()), size);
}

TEST(MpiCommunicatorErrors, that_are_no_loss_name_the_call_and_the_rank) {
  // A root that does not exist is an error that MPI finds without the other ranks.
  std::byte byte{};
  try {
    test_world().broadcast({&byte, 1}, test_world().size());
    ADD_FAILURE() << "did not throw";
  } catch (const RankLost& error) {
    ADD_FAILURE() << "taken for a loss: " << error.what();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_THAT(error.what(),
                testing::StartsWith("MPI_Bcast failed on rank " +
                                    std::to_string(test_world().rank()) + ": MPI_ERR_ROOT"));
  }
}

}  // namespace
}  // namespace lockstep
