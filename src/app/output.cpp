#include "output.hpp"

#include <cerrno>
#include <csignal>
#include <iostream>

#include <lockstep/core/error.hpp>
#include <lockstep/train/stop.hpp>

namespace lockstep {

void print(const std::string& text) {
  if (std::cout << text << std::flush) return;
  throw Error(ExitCode::internal, "standard output can't be written: " + system_error_text(errno));
}

void stop_when_output_closes() {
  std::signal(SIGPIPE, [](int) { request_stop(); });
}

void on_first_rank(Communicator& world, const std::function<void()>& work) {
  agree(world, [&] {
    if (world.rank() == 0) work();
  });
}

}  // namespace lockstep
