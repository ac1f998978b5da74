#include "background.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

namespace lockstep {
namespace {

TEST(Background, does_what_it_is_given_and_waits_for_it) {
  Background background;
  std::atomic<int> done = 0;
  for (int i = 1; i <= 3; ++i) {
    background.submit([&] { ++done; });
    background.wait();
    EXPECT_EQ(done, i);
  }
}

TEST(Background, leaves_out_all_but_the_newest_of_those_that_wait) {
  std::promise<void> begun, go_on;
  std::vector<int> done;
  {
    Background background;
    background.submit([&] {
      begun.set_value();
      go_on.get_future().wait();
      done.push_back(1);
    });
    begun.get_future().wait();
    background.submit([&] { done.push_back(2); });
    background.submit([&] { done.push_back(3); });
    go_on.set_value();
  }
  EXPECT_EQ(done, (std::vector{1, 3}));
}

TEST(Background, tells_a_failure_once_and_goes_on) {
  Background background;
  background.submit([] { throw std::runtime_error("full"); });
  background.wait();
  EXPECT_NE(background.failure(), nullptr);
  EXPECT_EQ(background.failure(), nullptr);
  bool done = false;
  background.submit([&] { done = true; });
  background.wait();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace lockstep
