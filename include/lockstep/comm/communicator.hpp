#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace lockstep {

/// A fixed group of ranks that take part in the same calls in the same order. Calls block; one
/// thread of a rank makes them. A failed call throws Error (lost_rank) that names the call.
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

  /// A communicator of the ranks 0..count-1 on those, null on the others. Called by all ranks.
  virtual std::unique_ptr<Communicator> first(std::size_t count) = 0;

  /// Ends all ranks at once with this exit code, as far as that is possible; does not return.
  /// For failures that the others can't be told of by a call.
  [[noreturn]] virtual void abort(int exit_code) noexcept = 0;
};

/// The group of one: the specification of the others.
std::unique_ptr<Communicator> make_local_communicator();

/// Runs job(communicator) on `size` ranks, each a thread of this process, and returns when all have
/// ended. If one throws, the others' pending and later calls throw Error (lost_rank) with an empty
/// line, and the first exception is thrown again here (one with a line before those without). A
/// call with unequal sizes, or one that a rank's ended job will never join, throws
/// std::logic_error.
void run_on_threads(std::size_t size, const std::function<void(Communicator&)>& job);

/// Runs `work` on every rank and makes its failure common: if it threw on some ranks, the lowest of
/// them throws what it threw, and the others throw Error with the same exit code and an empty line.
/// Collective. So a failure is printed once and no rank is left waiting.
void agree(Communicator& communicator, const std::function<void()>& work);

}  // namespace lockstep
