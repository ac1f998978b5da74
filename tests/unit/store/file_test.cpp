#include <lockstep/store/file.hpp>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <iterator>

#include "../temporary_folder.hpp"
#include "failure.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

/// While it lives, no file of this process can grow beyond `bytes`: a small full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit old_{};
};

std::string failure_on_full_disk(const fs::path& path) {
  const FullDisk disk(4096);
  return store_failure([&] { write_file(path, std::string(10'000, 'x')); });
}

TEST(File, reads_back_what_was_written) {
  const TemporaryFolder folder;
  const std::string text("a\0b\n", 4);
  write_file(folder.path() / "file", text);
  EXPECT_EQ(read_file(folder.path() / "file"), text);
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(File, an_empty_file_is_a_file) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  EXPECT_EQ(read_file(folder.path() / "file"), "");
}

TEST(File, replaces_the_old_file) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "a long old text");
  write_file(folder.path() / "file", "new");
  EXPECT_EQ(read_file(folder.path() / "file"), "new");
}

TEST(File, a_full_disk_leaves_no_file) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  EXPECT_THAT(failure_on_full_disk(path), HasSubstr("can't write " + path.string()));
  EXPECT_EQ(entries(folder.path()), 0u);
}

TEST(File, a_full_disk_leaves_the_old_file) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "old");
  EXPECT_THAT(failure_on_full_disk(folder.path() / "file"), HasSubstr("free some space"));
  EXPECT_EQ(read_file(folder.path() / "file"), "old");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(File, says_that_the_folder_is_missing) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "missing" / "file";
  EXPECT_THAT(store_failure([&] { write_file(path, "x"); }),
              HasSubstr("No such file or directory"));
}

TEST(File, a_folder_in_the_way_stays_and_nothing_else) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "file");
  EXPECT_THAT(store_failure([&] { write_file(folder.path() / "file", "x"); }),
              HasSubstr("can't write"));
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(File, reads_only_regular_files) {
  const TemporaryFolder folder;
  const fs::path fifo = folder.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const fs::path& path : {folder.path(), fifo, fs::path("/dev/zero")}) {
    EXPECT_THAT(store_failure([&] { read_file(path); }), HasSubstr("no regular file")) << path;
  }
  EXPECT_THAT(store_failure([&] { read_file(folder.path() / "missing"); }),
              HasSubstr("can't read"));
}

}  // namespace
}  // namespace lockstep
