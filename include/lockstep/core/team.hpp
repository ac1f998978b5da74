#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace lockstep {

/// A fixed team of threads that run one job together. Worker 0 is the calling thread, so a team of
/// one starts no thread. Between jobs of a fraction of a millisecond the workers spin for a while
/// before they sleep: waking a sleeper costs more than a step's slack.
class Team {
 public:
  /// `pin`: worker i stays on the i-th processor of the calling thread's affinity mask. The caller
  /// has all of that back when the team ends.
  explicit Team(std::size_t size, bool pin = true);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  std::size_t size() const noexcept { return size_; }

  /// Calls job(worker) once for each worker in [0, size) and returns when all are done. The first
  /// exception of a job is thrown again here. Not reentrant.
  template <typename Job>
  void run(const Job& job) {
    run_all(std::cref(job));  // by reference, so that nothing is allocated
  }

 private:
  void run_all(const std::function<void(std::size_t)>& job);

  struct State;
  std::size_t size_;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep
