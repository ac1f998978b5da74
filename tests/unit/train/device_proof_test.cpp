#include "device_proof.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <string>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

std::string line(const TrainingState& found, const TrainingState& expected) {
  try {
    expect_same_bits("the GPU", found, expected);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    return error.what();
  }
  return "";
}

const TrainingState state{1, {1.0f, 0.0f}, {2.0f, 3.0f}, {4.0f, 5.0f}};

TEST(DeviceProof, takes_equal_bits) {
  EXPECT_EQ(line(state, state), "");
}

TEST(DeviceProof, names_the_first_value_that_differs) {
  TrainingState other = state;
  other.first_moment[1] = 3.00000024f;
  other.second_moment[0] = 0.0f;
  EXPECT_THAT(
      line(other, state),
      testing::HasSubstr("after step 1 on trial first moment 1 is 3.00000024 there, not 3;"));
}

TEST(DeviceProof, tells_zeros_of_different_signs_apart) {
  TrainingState other = state;
  other.parameters[1] = -0.0f;
  EXPECT_THAT(line(other, state), testing::HasSubstr("weight 1 is -0 there, not 0;"));
}

TEST(DeviceProof, takes_any_two_nans_as_equal) {
  TrainingState found = state;
  TrainingState expected = state;
  found.parameters[0] = std::bit_cast<float>(0x7fffffffu);
  expected.parameters[0] = std::bit_cast<float>(0xffc00000u);
  EXPECT_EQ(line(found, expected), "");
  EXPECT_NE(line(found, state), "");
}

}  // namespace
}  // namespace lockstep
