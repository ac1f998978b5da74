#pragma once

#include <exception>
#include <string>

#include <lockstep/core/error.hpp>

namespace lockstep {

/// How the program ends when it fails.
struct Failure {
  int exit_code = 1;
  std::string line;     // empty where another rank tells
  bool common = false;  // all ranks know, so that they may leave in good order (see agree)
};

Failure describe(std::exception_ptr exception) noexcept;

/// Prints the line, if there is one, on standard error: as one line, whatever is in it.
void print_error(const Failure& failure) noexcept;

}  // namespace lockstep
