#include "failure.hpp"

#include <gtest/gtest.h>

#include <new>

namespace lockstep {
namespace {

TEST(Failure, of_an_error_is_its_line_and_its_exit_code) {
  const Failure failure = describe(std::make_exception_ptr(Error(ExitCode::data, "no pictures")));
  EXPECT_EQ(failure.exit_code, 3);
  EXPECT_EQ(failure.line, "no pictures");
  EXPECT_TRUE(failure.common);
}

TEST(Failure, of_a_lost_rank_is_not_known_to_all) {
  EXPECT_FALSE(describe(std::make_exception_ptr(Error(ExitCode::lost_rank, "x"))).common);
}

TEST(Failure, of_anything_else_is_internal_and_known_to_this_rank_alone) {
  const Failure memory = describe(std::make_exception_ptr(std::bad_alloc()));
  EXPECT_EQ(memory.exit_code, 1);
  EXPECT_EQ(memory.line, "out of memory");
  EXPECT_FALSE(memory.common);
  EXPECT_EQ(describe(std::make_exception_ptr(std::logic_error("x"))).line, "internal error: x");
  EXPECT_EQ(describe(std::make_exception_ptr(7)).line, "internal error");
}

TEST(Failure, is_printed_as_one_line) {
  testing::internal::CaptureStderr();
  print_error({3, "a\nb", true});
  print_error({3, "", true});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "lockstep: a b\n");
}

}  // namespace
}  // namespace lockstep
