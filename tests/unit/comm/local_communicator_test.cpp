#include <gtest/gtest.h>

#include "comm_behaviour.hpp"

namespace lockstep {
namespace {

class LocalCommunicator : public testing::TestWithParam<CommBehaviour> {};

TEST_P(LocalCommunicator, behaves) {
  const auto communicator = make_local_communicator();
  ASSERT_EQ(communicator->size(), 1);
  EXPECT_EQ(communicator->name(), "local");
  GetParam().check(*communicator);
}

INSTANTIATE_TEST_SUITE_P(Local, LocalCommunicator, testing::ValuesIn(comm_behaviours()),
                         [](const auto& test) { return test.param.name; });

TEST(LocalCommunicatorAbort, ends_with_the_code) {
  EXPECT_EXIT(make_local_communicator()->abort(5), testing::ExitedWithCode(5), "");
}

}  // namespace
}  // namespace lockstep
