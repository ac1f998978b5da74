#include <chrono>
#include <csignal>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <lockstep/comm/session.hpp>
#include <lockstep/train/supervisor.hpp>

#include "command_line.hpp"
#include "failure.hpp"
#include "output.hpp"

namespace lockstep {

namespace {

void run(const Invocation& invocation, Communicator& world) {
  if (invocation.command) return invocation.command->run(invocation.options, world);
  on_first_rank(world, [&] { print(invocation.text); });
}

void tell_end(int exit_code) {
  tell_supervisor("ended " + std::to_string(exit_code));
}

/// Where the group can recover, a rank that is lost already is the command's affair: its first call
/// fails as well.
void agree_on_use(const std::exception_ptr& misuse, Communicator& world) {
  try {
    agree(world, [&] {
      if (misuse) std::rethrow_exception(misuse);
    });
  } catch (const RankLost&) {
    if (misuse) std::rethrow_exception(misuse);
    if (!world.can_recover()) throw;
  }
}

/// Where ranks may be lost, ranks that fail do not wait for each other. When the first ends, mpirun
/// ends all, and drops what it has not read yet: so those without a line end last.
void wait_for_lines(const Failure& failure, Communicator& world) {
  const auto patience = std::chrono::milliseconds(failure.line.empty() ? 500 : 100);
  if (world.can_recover()) std::this_thread::sleep_for(patience);
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
  Session session(invocation.options.run.comm);
  try {
    agree_on_use(misuse, session.world());
    run(invocation, session.world());
    tell_end(0);
    return static_cast<int>(ExitCode::done);
  } catch (...) {
    const Failure failure = describe(std::current_exception());
    print_error(failure);
    wait_for_lines(failure, session.world());
    tell_end(failure.exit_code);
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
    tell_end(failure.exit_code);
    return failure.exit_code;
  }
}
