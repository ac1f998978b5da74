#pragma once

#include <gtest/gtest.h>

#include <string>

#include <lockstep/core/error.hpp>

namespace lockstep {

/// The line of the Error (store) that `job` throws; empty where it throws none.
template <typename Job>
std::string store_failure(Job job) {
  try {
    job();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::store);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return {};
}

}  // namespace lockstep
