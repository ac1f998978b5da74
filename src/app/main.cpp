#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <lockstep/comm/session.hpp>

#include "command_line.hpp"
#include "failure.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

void run(const Invocation& invocation, Communicator& world) {
  if (invocation.command) return invocation.command->run(invocation.options, world);
  on_first_rank(world, [&] { print(invocation.text); });
}

/// A wrong command line is an error of all ranks, told by the first: so it waits until they can
/// talk.
int run(const std::vector<std::string>& words) {
  Invocation invocation;
  std::exception_ptr misuse;
  try {
    invocation = parse_command_line(words);
  } catch (...) {
    misuse = std::current_exception();
  }
  Session session(invocation.options.comm);
  try {
    agree(session.world(), [&] {
      if (misuse) std::rethrow_exception(misuse);
    });
    run(invocation, session.world());
    return static_cast<int>(ExitCode::done);
  } catch (...) {
    const Failure failure = describe(std::current_exception());
    print_error(failure);
    if (!failure.common && session.world().size() > 1) session.world().abort(failure.exit_code);
    session.leave(failure.exit_code);
    return failure.exit_code;
  }
}

}  // namespace

}  // namespace lockstep

int main(int argc, char** argv) {
  using namespace lockstep;
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit is a failed write, with its line
  try {
    return run(std::vector<std::string>(argv + (argc > 0), argv + argc));
  } catch (...) {
    const Failure failure = describe(std::current_exception());
    print_error(failure);
    return failure.exit_code;
  }
}
