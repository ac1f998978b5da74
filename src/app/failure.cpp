#include "failure.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>

#include <unistd.h>

namespace lockstep {

namespace {

constexpr unsigned patience_seconds = 10;

volatile std::sig_atomic_t late_exit_code = 1;

/// MPI_Finalize waits for all ranks: without this a rank would wait for ever for one that does not
/// come.
void leave_soon(int code) noexcept {
  late_exit_code = code;
  std::signal(SIGALRM, [](int) { ::_exit(late_exit_code); });
  ::alarm(patience_seconds);
}

void print_error(const std::string& line) noexcept {
  if (line.empty()) return;
  try {
    std::string text = "lockstep: " + line;
    for (char& c : text) {
      if (c == '\n' || c == '\r') c = ' ';
    }
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stderr);
  } catch (...) {
    std::fputs("lockstep: out of memory\n", stderr);
  }
}

bool first_process() noexcept {
  constexpr std::array variables{"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (const char* name : variables) {
    if (const char* rank = std::getenv(name)) return std::string_view(rank) == "0";
  }
  return true;
}

}  // namespace

Failure describe(std::exception_ptr exception) noexcept {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return {error.code(), error.what(), error.code() != ExitCode::lost_rank};
  } catch (const std::bad_alloc&) {
    return {ExitCode::internal, "out of memory", false};
  } catch (const std::exception& error) {
    return {ExitCode::internal, std::string("internal error: ") + error.what(), false};
  } catch (...) {
    return {ExitCode::internal, "internal error", false};
  }
}

int end_together(const Failure& failure, Communicator& world) noexcept {
  const int code = static_cast<int>(failure.code);
  print_error(failure.line);
  if (world.size() == 1) return code;
  if (!failure.common) world.abort(code);
  leave_soon(code);
  return code;
}

int end_alone(const Failure& failure) noexcept {
  if (first_process()) {
    print_error(failure.line);
  } else {
    ::sleep(1);  // mpirun ends the others as soon as one has failed: let the first one speak
  }
  return static_cast<int>(failure.code);
}

}  // namespace lockstep
