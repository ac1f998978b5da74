// Ends as its argument says; see CMakeLists.txt for what is to come of it.
#include <cstdint>
#include <cstdio>
#include <string_view>

#include <lockstep/comm/session.hpp>
#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

void fail() {
  throw Error(ExitCode::data, "the last rank failed");
}

void play(std::string_view part, Communicator& world) {
  const bool last = world.rank() + 1 == world.size();
  world.barrier();
  if (part == "common_failure") {
    agree(world, [&] {
      if (last) fail();
    });
  } else if (part == "lone_failure") {
    if (last) throw Error(ExitCode::non_finite, "the last rank failed");
    world.barrier();
  } else if (part == "uncaught") {
    if (last) fail();
    world.barrier();
  } else if (part == "abort") {
    if (last) {
      std::puts("the last rank failed");
      world.abort(5);
    }
    world.barrier();
  } else if (world.rank() == 0) {
    std::puts("all is well");
  }
}

/// As a program's main should: the line first, then the leave.
int run(std::string_view part) {
  Session session({"auto"});
  try {
    play(part, session.world());
    return 0;
  } catch (const Error& error) {
    if (*error.what() != '\0') std::fprintf(stderr, "%s\n", error.what());
    if (part == "uncaught") throw;
    session.leave(static_cast<int>(error.code()));
    return static_cast<int>(error.code());
  }
}

}  // namespace
}  // namespace lockstep

int main(int, char** argv) {
  try {
    return lockstep::run(argv[1]);
  } catch (const lockstep::Error& error) {  // of the session itself, or uncaught
    const bool known = error.code() != lockstep::ExitCode::data;
    if (known && *error.what() != '\0') std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
