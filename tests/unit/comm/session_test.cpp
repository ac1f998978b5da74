#include <lockstep/comm/session.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

/// What a launcher would have set is set for one test. MPI itself is never started here: that is
/// for the distributed tests.
class Session : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }

  static void pretend_launch(const char* size, const char* rank) {
    ::setenv("OMPI_COMM_WORLD_SIZE", size, 1);
    ::setenv("OMPI_COMM_WORLD_RANK", rank, 1);
  }

  static void expect_refusal(const std::string& name, const std::string& part) {
    try {
      const lockstep::Session session({name});
      ADD_FAILURE() << "--comm " << name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
      EXPECT_EQ(std::string(error.what()).empty(), part.empty());
    }
  }

 private:
  static void clear() {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                             "PMI_SIZE", "PMI_RANK", "SLURM_STEP_NUM_TASKS"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(Session, auto_without_a_launcher_is_local) {
  lockstep::Session session({});
  EXPECT_EQ(session.world().name(), "local");
  EXPECT_EQ(session.world().size(), 1);
}

TEST_F(Session, a_local_session_may_be_left) {
  lockstep::Session session({"local"});
  session.leave(3);
}

TEST_F(Session, an_unknown_name_is_refused) {
  expect_refusal("gloo", "--comm gloo");
}

TEST_F(Session, local_is_refused_where_a_launcher_started_several) {
  pretend_launch("4", "0");
  expect_refusal("local", "mpirun started 4");
}

TEST_F(Session, only_the_first_rank_says_why) {
  pretend_launch("4", "2");
  expect_refusal("local", "");
}

TEST_F(Session, local_under_a_launcher_of_one_is_local) {
  pretend_launch("1", "0");
  lockstep::Session session({"local"});
  EXPECT_EQ(session.world().name(), "local");
}

}  // namespace
}  // namespace lockstep
