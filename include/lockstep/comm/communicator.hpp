#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lockstep/core/error.hpp>

namespace lockstep {

/// A call did not do what it should because ranks are gone, as far as one can tell: it may have
/// worked on other ranks. Where the communicator can recover, the run can go on without them.
class RankLost : public Error {
 public:
  explicit RankLost(const std::string& line) : Error(ExitCode::lost_rank, line) {}
};

/// A group of ranks that take part in the same calls in the same order. Calls block; one thread of
/// a rank makes them. A call that fails because ranks are gone throws RankLost, one that fails for
/// another reason Error (internal, or lost_rank); both name the call. The group stays the same but
/// for recover(), by which those that are left become the group.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual std::size_t rank() const noexcept = 0;
  virtual std::size_t size() const noexcept = 0;
  virtual std::string name() const = 0;  // "local", "threads" or "mpi"
  virtual std::string description()
      const = 0;  // one phrase for the header, e.g. library and version

  /// Every rank's `values` become their sums over the ranks, wrapping modulo 2^64. Equal sizes.
  virtual void all_reduce(std::span<std::int64_t> values) = 0;

  /// The same for floats, added in an order of the communicator's own; for measurements.
  virtual void all_reduce(std::span<float> values) = 0;

  /// `bytes` of rank `root` become everyone's. Equal sizes.
  virtual void broadcast(std::span<std::byte> bytes, std::size_t root) = 0;

  virtual void barrier() = 0;

  /// A barrier with one outcome: returns on all ranks, or throws RankLost on all, which it does
  /// where a rank has called recover() instead. So a result is common knowledge only after it.
  virtual void settle() { barrier(); }

  /// Throws RankLost if a rank is known to be gone, or has called recover(). Does not wait: for
  /// those that wait for something else than the calls above. Knows nothing unless can_recover().
  virtual void poll() {}

  /// Whether the group can go on without ranks that died.
  virtual bool can_recover() const noexcept { return false; }

  /// To be called after RankLost: pending and later calls of the others throw RankLost as well,
  /// until they come here too. Then the ranks that are left become the group, in the same order;
  /// rank() and size() change. Returns the ranks that are gone, as they were numbered. There may be
  /// none. Throws Error (lost_rank) if it can't be done. Only where can_recover().
  virtual std::vector<std::size_t> recover();

  /// A communicator of the ranks 0..count-1 on those, null on the others. Called by all ranks.
  virtual std::unique_ptr<Communicator> first(std::size_t count) = 0;

  /// Ends all ranks at once with this exit code, as far as that is possible; does not return.
  /// For failures that the others can't be told of by a call.
  [[noreturn]] virtual void abort(int exit_code) noexcept = 0;
};

/// all_reduce for few values of any kind: throws RankLost where the sum misses a rank or is not
/// what the ranks gave, which an all-reduce that a rank died in may return without an error.
void all_reduce_checked(Communicator& communicator, std::span<std::int64_t> values);

/// The group of one: the specification of the others.
std::unique_ptr<Communicator> make_local_communicator();

/// Runs job(communicator) on `size` ranks, each a thread of this process, and returns when all have
/// ended. If one throws, the others' pending and later calls throw Error (lost_rank) with an empty
/// line, and the first exception is thrown again here (one with a line before those without). A
/// call with unequal sizes, or one that a rank's ended job will never join, throws
/// std::logic_error. A job that throws RankDeath takes its rank away as the death of a process
/// would: the others' calls throw RankLost, and they can recover().
struct RankDeath {};
void run_on_threads(std::size_t size, const std::function<void(Communicator&)>& job);

/// Runs `work` on every rank and makes its failure common: if it threw on some ranks, the lowest of
/// them throws what it threw, and the others throw Error with the same exit code and an empty line.
/// Collective. So a failure is printed once and no rank is left waiting. Throws RankLost on all
/// ranks or on none where there is a failure.
void agree(Communicator& communicator, const std::function<void()>& work);

}  // namespace lockstep
