#include "config_file.hpp"

#include <gmock/gmock.h>

#include "assignment.hpp"
#include "usage_failure.hpp"

namespace lockstep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<Assignment> read(const std::string& text) {
  return read_config_file(ConfigFile(text).path());
}

TEST(ConfigFile, a_line_gives_a_name_a_value) {
  const auto lines = read("epochs = 3\n  batch-size=96  \n");
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0].name, "epochs");
  EXPECT_EQ(lines[0].value, "3");
  EXPECT_EQ(lines[1].name, "batch-size");
  EXPECT_EQ(lines[1].value, "96");
}

TEST(ConfigFile, comments_empty_lines_and_carriage_returns_say_nothing) {
  const auto lines = read("# recipe\r\n\r\nout = run#1  # a sharp inside a word is part of it\r\n");
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].value, "run#1");
}

TEST(ConfigFile, a_value_may_be_empty_or_hold_an_equals_sign) {
  const auto lines = read("data =\nout = a=b\n");
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0].value, "");
  EXPECT_EQ(lines[1].value, "a=b");
}

TEST(ConfigFile, the_last_line_needs_no_end) {
  EXPECT_EQ(read("epochs = 3").at(0).value, "3");
}

TEST(ConfigFile, the_place_of_a_line_counts_comments_too) {
  const ConfigFile file("# one\n\nepochs = 3\n");
  EXPECT_EQ(read_config_file(file.path()).at(0).place, file.path() + ":3: ");
}

TEST(ConfigFile, a_line_of_another_form_is_refused_with_its_place) {
  const ConfigFile file("epochs = 3\nhidden 64\n");
  EXPECT_THAT(usage_failure([&] { read_config_file(file.path()); }),
              StartsWith(file.path() + ":2: expected 'name = value'"));
  const ConfigFile nameless("= 3\n");
  EXPECT_THAT(usage_failure([&] { read_config_file(nameless.path()); }), HasSubstr(":1: "));
}

TEST(ConfigFile, what_cannot_be_read_is_refused_with_the_reason) {
  EXPECT_THAT(usage_failure([] { read_config_file("/nonexistent/x.conf"); }),
              HasSubstr("/nonexistent/x.conf: cannot be read: No such file"));
  EXPECT_THAT(usage_failure([] { read_config_file("/"); }), HasSubstr("cannot be read"));
}

TEST(ConfigFile, an_endless_file_is_refused) {
  EXPECT_THAT(usage_failure([] { read_config_file("/dev/zero"); }), HasSubstr("larger than"));
}

}  // namespace
}  // namespace lockstep
