#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace lockstep {

/// A thread that does one job at a time, so that training need not wait for a disk. All calls come
/// from one other thread.
class Background {
 public:
  using Job = std::function<void()>;

  Background();
  ~Background();  // does what it was given first

  /// Takes the place of a job that has not begun: on a slow disk only the newest counts.
  void submit(Job job);
  /// Until all jobs are done.
  void wait();
  /// What the last failed job threw since this was asked last; null if none failed.
  std::exception_ptr failure();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  Job next_;
  bool busy_ = false;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace lockstep
