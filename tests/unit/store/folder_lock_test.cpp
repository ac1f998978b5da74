#include <lockstep/store/folder_lock.hpp>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <lockstep/store/file.hpp>

#include "../temporary_folder.hpp"
#include "failure.hpp"

namespace lockstep {
namespace {

using testing::HasSubstr;

std::string failure_to_lock(const std::filesystem::path& folder) {
  return store_failure([&] { FolderLock lock(folder); });
}

/// A process that holds the lock until it is killed.
pid_t start_owner(const std::filesystem::path& folder) {
  int ready[2];
  EXPECT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder);
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
  }
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

TEST(FolderLock, refuses_a_second_owner_and_names_the_first) {
  const TemporaryFolder folder;
  const FolderLock first(folder.path());
  const std::string line = failure_to_lock(folder.path());
  EXPECT_THAT(line, HasSubstr("in use by process " + std::to_string(::getpid()) + " on "));
}

TEST(FolderLock, ends_with_its_owner) {
  const TemporaryFolder folder;
  { const FolderLock first(folder.path()); }
  EXPECT_EQ(failure_to_lock(folder.path()), "");
}

TEST(FolderLock, of_another_process_holds_until_it_is_dead) {
  const TemporaryFolder folder;
  const pid_t owner = start_owner(folder.path());
  EXPECT_THAT(failure_to_lock(folder.path()), HasSubstr("process " + std::to_string(owner)));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  EXPECT_THAT(read_file(folder.path() / "lock"), HasSubstr(std::to_string(owner)));
  EXPECT_EQ(failure_to_lock(folder.path()), "");
}

TEST(FolderLock, of_a_folder_that_is_not_there_is_an_error) {
  const TemporaryFolder folder;
  EXPECT_THAT(failure_to_lock(folder.path() / "missing"), HasSubstr("choose another --out"));
}

}  // namespace
}  // namespace lockstep
