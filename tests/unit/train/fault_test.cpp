#include <lockstep/train/fault.hpp>

#include <gtest/gtest.h>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

TEST(Faults, are_read_in_any_order_with_rank_0_as_default) {
  const auto faults = parse_faults("rank=2,step=50,kind=wrong-sum:kind=flip,step=7");
  ASSERT_EQ(faults.size(), 2);
  EXPECT_EQ(faults[0].kind, FaultKind::wrong_sum);
  EXPECT_EQ(faults[0].rank, 2);
  EXPECT_EQ(faults[0].step, 50);
  EXPECT_EQ(faults[1].kind, FaultKind::flip);
  EXPECT_EQ(faults[1].rank, 0);
  EXPECT_EQ(faults[1].step, 7);
  EXPECT_TRUE(parse_faults("none").empty());
}

TEST(Faults, name_a_value_and_its_bit_where_they_change_one) {
  const auto faults = parse_faults("step=7,kind=flip-moment,place=12,bit=30:step=7,kind=flip");
  EXPECT_EQ(faults[0].place, 12);
  EXPECT_EQ(faults[0].bit, 30);
  EXPECT_FALSE(faults[1].place);
}

TEST(Faults, that_make_no_sense_are_refused) {
  for (const char* text : {"rank=1", "step=0,kind=kill", "step=5", "step=5,kind=flood",
                           "step=x,kind=kill", "step=5,kind=kill,when=now", "step=-5,kind=kill",
                           "step=5,kind=flip,place=-1", "::", "kill"}) {
    EXPECT_THROW(parse_faults(text), Error) << text;
  }
}

}  // namespace
}  // namespace lockstep
