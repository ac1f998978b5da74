#include <lockstep/core/handle.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace lockstep {
namespace {

std::vector<int> destroyed;

struct Traits {
  using Type = int;
  static int null() noexcept { return 0; }
  static void destroy(int value) noexcept { destroyed.push_back(value); }
};

TEST(Handle, destroys_each_value_once_through_moves) {
  destroyed.clear();
  {
    Handle<Traits> a(1);
    Handle<Traits> b(std::move(a));
    EXPECT_FALSE(a);
    Handle<Traits> c(2);
    c = std::move(b);
    EXPECT_EQ(destroyed, std::vector<int>{2});
    EXPECT_EQ(c.get(), 1);
  }
  EXPECT_EQ(destroyed, (std::vector<int>{2, 1}));
}

TEST(Handle, null_is_never_destroyed) {
  destroyed.clear();
  {
    Handle<Traits> a;
    a.reset();
  }
  EXPECT_TRUE(destroyed.empty());
}

}  // namespace
}  // namespace lockstep
