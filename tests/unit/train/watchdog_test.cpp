#include "watchdog.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include <lockstep/core/error.hpp>

#include "process_status.hpp"
#include "watched_communicator.hpp"

namespace lockstep {
namespace {

constexpr double timeout = 0.3;

/// A rank of this host, as a process: its heartbeat is place 1, this process's is place 0.
void introduce(Heartbeat& heart) {
  heart.process = ::getpid();
  heart.born = process_status(::getpid()).born;
}

class Neighbour {
 public:
  Neighbour(HeartbeatTable& table, const std::function<void(Heartbeat&)>& life) {
    process_ = ::fork();
    if (process_ == 0) {
      introduce(table[1]);
      table[1].step = 7;
      table[1].beat(Activity::computing);
      life(table[1]);
      ::_exit(0);
    }
    while (table[1].activity.load() == Activity::none) ::usleep(1000);
  }

  /// How it ended, which it must.
  int end() const {
    int status = 0;
    ::waitpid(process_, &status, 0);
    return status;
  }

 private:
  pid_t process_ = 0;
};

std::string name() {
  return fmt::format("lockstep-test-{}", ::getpid());
}

/// This rank waits for the others until `life` of its neighbour ends.
int end_of(const std::function<void(Heartbeat&)>& life) {
  HeartbeatTable table(name(), 2);
  introduce(table[0]);
  table[0].beat(Activity::waiting);
  const Neighbour neighbour(table, life);
  const Watchdog watchdog(table, {.timeout = timeout, .host = "here", .elsewhere = ""});
  return neighbour.end();
}

void expect_killed(int status) {
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(Watchdog, names_and_kills_a_rank_that_does_not_move) {
  testing::internal::CaptureStderr();
  expect_killed(end_of([](Heartbeat&) { ::pause(); }));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("lockstep: rank 1 hangs: on here, process "), std::string::npos) << said;
  EXPECT_NE(said.find("last seen computing at step 7"), std::string::npos) << said;
  EXPECT_NE(said.find("ranks waiting for it here: 0"), std::string::npos) << said;
}

TEST(Watchdog, finds_a_rank_that_was_stopped_while_it_waited) {
  testing::internal::CaptureStderr();
  expect_killed(end_of([](Heartbeat& heart) {
    heart.beat(Activity::waiting);
    std::raise(SIGSTOP);
  }));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("(stopped by a signal)"),
            std::string::npos);
}

TEST(Watchdog, leaves_a_rank_alone_that_moves) {
  const int status = end_of([](Heartbeat& heart) {
    for (int i = 0; i < 60; ++i) {
      heart.beat(Activity::computing);
      ::usleep(10'000);
    }
  });
  EXPECT_TRUE(WIFEXITED(status));
}

TEST(Watchdog, accuses_nobody_while_its_own_rank_works) {
  HeartbeatTable table(name(), 2);
  introduce(table[0]);
  table[0].beat(Activity::computing);
  const Neighbour neighbour(table, [](Heartbeat&) { ::usleep(600'000); });
  const Watchdog watchdog(table, {.timeout = timeout, .host = "here", .elsewhere = ""});
  EXPECT_TRUE(WIFEXITED(neighbour.end()));
}

TEST(Watchdog, spares_a_later_process_of_a_dead_ranks_number) {
  const int status = end_of([](Heartbeat& heart) {
    ++heart.born;
    ::usleep(600'000);
  });
  EXPECT_TRUE(WIFEXITED(status));
}

TEST(Watchdog, ends_the_ranks_of_its_host_where_nobody_of_them_is_to_blame) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto wait_in_vain = [] {
    HeartbeatTable table(name(), 2);
    introduce(table[0]);
    table[0].step = 9;
    table[0].beat(Activity::waiting);
    const Neighbour neighbour(table, [](Heartbeat& heart) {
      heart.beat(Activity::waiting);
      ::pause();
    });
    const Watchdog watchdog(table, {.timeout = timeout,
                                    .patience = timeout,
                                    .host = "here",
                                    .elsewhere = "rank 2 (there, process 77)"});
    neighbour.end();
    ::pause();
  };
  EXPECT_EXIT(wait_in_vain(), testing::ExitedWithCode(static_cast<int>(ExitCode::lost_rank)),
              "rank 0 on here has waited for other ranks for .* s at step 9; .*, or one of rank 2 "
              "\\(there, process 77\\)");
}

TEST(WatchedCommunicator, is_seen_to_wait_while_it_polls_but_not_to_move) {
  const auto world = make_local_communicator();
  Heartbeat heart{};
  Pulse pulse;
  pulse.show(&heart);
  WatchedCommunicator watched(*world, pulse);
  {
    const Pulse::Phase computing(pulse, Activity::computing);
    watched.poll();
    const std::uint64_t beats = heart.beats;
    watched.poll();
    EXPECT_EQ(heart.activity, Activity::waiting);
    EXPECT_EQ(heart.beats, beats);
  }
  EXPECT_EQ(heart.activity, Activity::starting);
}

}  // namespace
}  // namespace lockstep
