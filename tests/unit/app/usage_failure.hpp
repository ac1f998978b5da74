#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <lockstep/core/error.hpp>

namespace lockstep {

/// The line of the Error (usage) that `work` throws.
inline std::string usage_failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace lockstep
