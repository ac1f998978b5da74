#pragma once

#include <memory>
#include <string>

#include <lockstep/comm/communicator.hpp>

namespace lockstep {

/// How the ranks of this run talk: auto | local | mpi | nccl. auto takes mpi where an MPI launcher
/// (mpirun, srun) started the process, and local otherwise. nccl is the same to the session: it
/// sums what lies on GPUs (see DeviceReducer), and the ranks find each other as with auto.
struct CommConfig {
  std::string name = "auto";
};

/// The process's part in the run. Lives in main, outlives every communicator. Throws Error (usage)
/// where mpi is asked for or needed and this build has none, where a launcher started several ranks
/// of --comm local, and where it started several but the MPI library sees each of them alone
/// (another MPI's mpirun started the program); the line is empty on all ranks but the launcher's
/// first.
class Session {
 public:
  explicit Session(const CommConfig& config);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// All ranks of the run. Owned by the session.
  Communicator& world() noexcept;

  /// Ends this rank's part after a failure, before the process returns `exit_code`; to be called
  /// when the error has been printed. Waits until every rank leaves or ends, which is at once where
  /// the failure is common (see agree), and ends all ranks with `exit_code` after 5 s where it is
  /// not, as the others would wait for this rank for ever. world() is gone. A session destroyed by
  /// an exception does the same with ExitCode::internal.
  void leave(int exit_code) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep
