#pragma once

#include <memory>
#include <string>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// How the ranks of this run talk: auto | local | mpi. auto takes mpi where an MPI launcher
/// (mpirun, srun) started the process, and local otherwise.
struct CommConfig {
  std::string name = "auto";
};

/// The process's part in the run. Lives in main, outlives every communicator. Throws Error (usage)
/// where mpi is asked for or needed and this build has none, or where the launcher and the MPI
/// library disagree about the number of ranks (another MPI's mpirun started the program).
class Session {
 public:
  explicit Session(const CommConfig& config);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// All ranks of the run. Owned by the session.
  Communicator& world() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep
