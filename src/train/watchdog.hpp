#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "heartbeat.hpp"

namespace lockstep {

struct WatchConfig {
  double timeout = 0;     // seconds
  double patience = 5;    // seconds from a verdict, here or on another host, to its effect
  std::size_t own = 0;    // this rank's number in the table
  std::string host;       // its name
  std::string elsewhere;  // the names of the ranks of other hosts, empty if there are none
};

/// A thread that finds ranks of this host which stop answering. It makes no call of MPI: it looks
/// at the heartbeats. When its own rank has waited for `timeout`, those that neither moved nor
/// waited as long, or are stopped by a signal, hang: the lowest of the waiting ranks names and
/// kills them, so that to the others they are dead. Where that does not help for `patience` more
/// (the hung rank can't be killed, or it is on a host where nobody is left to judge it), it names
/// what it knows and ends the ranks of this host with ExitCode::lost_rank; launch/run ends the
/// others.
///
/// Time counts only while the thread itself runs as planned, so that a machine that stood still, or
/// is overloaded, accuses nobody.
class Watchdog {
 public:
  /// The caller keeps the table alive.
  Watchdog(HeartbeatTable& table, WatchConfig config);
  ~Watchdog();

 private:
  struct Seen {
    std::uint64_t beats = 0;
    double still = 0;  // seconds without a beat
    bool judged = false;
  };

  void run();
  void look(double seconds);
  bool hangs(std::size_t rank) const;
  bool waits(std::size_t rank) const;
  void judge(std::size_t rank);
  [[noreturn]] void give_up() const;

  HeartbeatTable& table_;
  WatchConfig config_;
  std::vector<Seen> seen_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace lockstep
