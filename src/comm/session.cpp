#include <lockstep/comm/session.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include <lockstep/core/error.hpp>

#include "launcher.hpp"
#include "mpi_library.hpp"

namespace lockstep {

namespace {

/// Refuses the run on ranks that can't talk to each other: all come here, and the first one says
/// it. The others give it a second, as a launcher ends all ranks when one of them has failed.
[[noreturn]] void refuse(const std::optional<Launch>& launch, const std::string& line) {
  if (!launch || launch->rank == 0) throw Error(ExitCode::usage, line);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  throw Error(ExitCode::usage, "");
}

bool wants_mpi(const std::string& name, const std::optional<Launch>& launch) {
  if (name == "mpi") return true;
  if (name == "auto" || name == "nccl") return launch && (mpi_is_built_in() || launch->size != 1);
  if (name != "local") {
    refuse(launch, fmt::format("--comm {}: is none of auto, local, mpi and nccl", name));
  }
  if (launch && launch->size > 1) {
    refuse(launch, fmt::format("--comm local is one rank, but {} started {}: leave the option out, "
                               "or start the program without {}",
                               launch->launcher, launch->size, launch->launcher));
  }
  return false;
}

}  // namespace

struct Session::State {
  std::unique_ptr<Communicator> world;
  bool mpi = false;
  int exceptions = std::uncaught_exceptions();

  ~State() {
    const bool unwinding = std::uncaught_exceptions() > exceptions;
    end(unwinding ? std::optional(static_cast<int>(ExitCode::internal)) : std::nullopt);
  }

  void start(const std::optional<Launch>& launch) {
    if (!mpi_is_built_in()) {
      refuse(launch,
             "this build has no MPI: run launch/setup and build again, or start one rank, "
             "without mpirun and --comm mpi");
    }
    start_mpi();
    mpi = true;
    world = make_mpi_communicator();
    if (launch && launch->size > 1 && world->size() == 1) {
      refuse(launch,
             fmt::format("{} started {} ranks, but {}, which this program uses, sees each "
                         "of them alone: start it with {}",
                         launch->launcher, launch->size, mpi_description(), mpi_launch_hint()));
    }
  }

  void end(std::optional<int> failure) noexcept {
    world.reset();
    if (std::exchange(mpi, false)) end_mpi(failure);
  }
};

Session::Session(const CommConfig& config) : state_(std::make_unique<State>()) {
  const auto launch = detect_launch([](const char* name) { return std::getenv(name); });
  if (wants_mpi(config.name, launch)) {
    state_->start(launch);
  } else {
    state_->world = make_local_communicator();
  }
}

Session::~Session() = default;

Communicator& Session::world() noexcept {
  return *state_->world;
}

void Session::leave(int exit_code) noexcept {
  state_->end(exit_code);
}

}  // namespace lockstep
