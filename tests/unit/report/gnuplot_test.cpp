#include "gnuplot.hpp"

#include <gmock/gmock.h>

#include "../temporary_folder.hpp"
#include "content.hpp"
#include "program_path.hpp"

namespace lockstep {
namespace {

TEST(Gnuplot, is_missing_where_there_is_none) {
  const TemporaryFolder folder;
  const ProgramPath path(folder.path());
  EXPECT_EQ(run_gnuplot(folder.path(), "", "script"), "gnuplot is missing: install gnuplot-nox");
}

TEST(Gnuplot, gets_its_commands_and_works_in_the_folder) {
  const TemporaryFolder folder;
  make_gnuplot(folder.path(), "for argument; do echo \"$argument\"; done > arguments");
  const ProgramPath path(folder.path());
  EXPECT_EQ(run_gnuplot(folder.path(), "part = 'x y'", "plots/a.gp"), "");
  EXPECT_EQ(content(folder.path() / "arguments"), "-d\n-e\npart = 'x y'\nplots/a.gp\n");
}

TEST(Gnuplot, a_failure_gives_its_last_line) {
  const TemporaryFolder folder;
  make_gnuplot(folder.path(), "echo; echo first; echo ' line 3: no such thing' >&2; echo; exit 1");
  const ProgramPath path(folder.path());
  EXPECT_EQ(run_gnuplot(folder.path(), "", "a"), "gnuplot failed: line 3: no such thing");
}

TEST(Gnuplot, a_failure_without_a_word_is_one) {
  const TemporaryFolder folder;
  make_gnuplot(folder.path(), "kill -9 $$");
  const ProgramPath path(folder.path());
  EXPECT_EQ(run_gnuplot(folder.path(), "", "a"), "gnuplot failed: no message");
}

TEST(Gnuplot, is_killed_when_it_hangs) {
  const TemporaryFolder folder;
  make_gnuplot(folder.path(), "exec /bin/sleep 600");
  const ProgramPath path(folder.path());
  EXPECT_EQ(run_gnuplot(folder.path(), "", "a", 0.2), "gnuplot took longer than 0.2 s");
}

TEST(Gnuplot, quotes_keep_a_text_one_text) {
  EXPECT_EQ(gnuplot_quote("it's \"a\"\n\\n"), "'it''s \"a\" \\n'");
}

}  // namespace
}  // namespace lockstep
