#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>

#include <lockstep/comm/session.hpp>
#include <lockstep/core/error.hpp>

#include "world.hpp"

namespace lockstep {

namespace {

Communicator* world = nullptr;

/// Prints the failures of a rank that is otherwise silent.
class RankFailures : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    fmt::print(stderr, "[rank {}] {}:{}: {}\n", world->rank(),
               result.file_name() ? result.file_name() : "unknown file", result.line_number(),
               result.message());
  }
};

/// The same on all ranks: 0 if no test failed on any.
int run_all_tests() {
  if (world->rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new RankFailures);
  }
  std::int64_t failures = RUN_ALL_TESTS() != 0;
  world->all_reduce({&failures, 1});
  if (world->rank() == 0 && failures != 0) fmt::print(stderr, "{} ranks failed\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace

Communicator& test_world() {
  return *world;
}

}  // namespace lockstep

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    lockstep::Session session({"mpi"});
    lockstep::world = &session.world();
    return lockstep::run_all_tests();
  } catch (const lockstep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  }
}
