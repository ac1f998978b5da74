#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace lockstep {

/// What the process returns. The numbers are part of the command line's contract.
enum class ExitCode : int {
  done = 0,
  internal = 1,
  usage = 2,
  data = 3,
  non_finite = 4,
  lost_rank = 5,
  store = 6,
  stopped = 75,
};

/// A failure that the user can mend. `what()` is one line: what, where, how to mend; it is empty on
/// the ranks that end because another rank failed, so that a failure is printed once.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// Of what was thrown: internal where it is no Error.
ExitCode exit_code_of(const std::exception_ptr& failure) noexcept;

/// The text of an errno value, for one-line errors.
std::string system_error_text(int error_number);

}  // namespace lockstep
