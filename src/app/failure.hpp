#pragma once

#include <exception>
#include <string>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/error.hpp>

namespace lockstep {

/// How the program ends when it fails.
struct Failure {
  ExitCode code = ExitCode::internal;
  std::string line;    // empty where another rank tells
  bool common = true;  // whether the other ranks know, so that all may leave in good order
};

Failure describe(std::exception_ptr exception) noexcept;

/// Prints the line and returns the exit code. Where the other ranks do not know, ends them; where
/// they should know but do not come along, this process leaves after a while all the same.
int end_together(const Failure& failure, Communicator& world) noexcept;

/// For a failure before the ranks can talk: it is taken to be every rank's, and only the launcher's
/// first process prints it.
int end_alone(const Failure& failure) noexcept;

}  // namespace lockstep
