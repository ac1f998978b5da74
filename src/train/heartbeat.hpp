#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lockstep {

/// What a rank is doing, as the others of its host see it.
enum class Activity : std::uint32_t {
  none,        // no rank of this host, or one that has not come here yet
  starting,    // reading its pictures, making the run folder
  computing,   // a step
  evaluating,  // some pictures
  saving,      // what lies between: records, checkpoints, pictures
  waiting,     // in a call of the communicator, for other ranks
  recovering   // from a loss
};

/// One rank's place in memory that the ranks of a host share.
struct Heartbeat {
  std::atomic<std::uint64_t> beats;  // grows with every change
  std::atomic<std::uint64_t> step;
  std::atomic<std::int64_t> process;
  std::atomic<std::uint64_t> born;  // when the process began (process_status.hpp)
  std::atomic<Activity> activity;

  void beat(Activity now) noexcept {
    activity.store(now, std::memory_order_relaxed);
    beats.fetch_add(1, std::memory_order_release);
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

/// The heartbeats of the ranks of one host, by the numbers they had when the run began: a file in
/// /dev/shm.
class HeartbeatTable {
 public:
  /// `name`: the same for all ranks of the host, and no other run's. Throws Error (internal).
  HeartbeatTable(const std::string& name, std::size_t ranks);
  ~HeartbeatTable();
  HeartbeatTable(const HeartbeatTable&) = delete;
  HeartbeatTable& operator=(const HeartbeatTable&) = delete;

  /// Leaves nothing behind in /dev/shm; to be called once all ranks of the host have come.
  void forget_name() noexcept;

  std::size_t size() const noexcept { return ranks_; }
  Heartbeat& operator[](std::size_t rank) const noexcept { return table_[rank]; }

 private:
  std::string name_;
  std::size_t ranks_;
  Heartbeat* table_;
};

}  // namespace lockstep
