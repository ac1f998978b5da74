#include <lockstep/store/folder_lock.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <lockstep/core/error.hpp>
#include <lockstep/core/host_name.hpp>

namespace lockstep {
namespace {

std::string own_name() {
  return fmt::format("process {} on {}\n", ::getpid(), host_name());
}

/// What the owner wrote, on one line; it may not have come to it yet.
std::string owner(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string_view written(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const std::string_view line = written.substr(0, written.find('\n'));
  return line.empty() ? "another process" : std::string(line);
}

/// A lock of the open file (not of the process): no other open() of it here or elsewhere gets one.
bool try_lock(int descriptor) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return ::fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
}

}  // namespace

void DescriptorTraits::destroy(int descriptor) noexcept {
  ::close(descriptor);
}

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "lock";
  file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file_) {
    throw Error(ExitCode::store,
                fmt::format("can't write {}: {}: check the folder's permissions or choose another "
                            "--out",
                            path.string(), system_error_text(errno)));
  }
  if (!try_lock(file_.get())) {
    if (errno != EAGAIN && errno != EACCES) return;
    throw Error(ExitCode::store,
                fmt::format("{} is in use by {}: wait for its end or choose another --out",
                            folder.string(), owner(file_.get())));
  }
  const std::string name = own_name();
  // The name only helps the reader of a refusal: that it can't be written is no failure.
  if (::ftruncate(file_.get(), 0) != 0 || ::pwrite(file_.get(), name.data(), name.size(), 0) < 0) {
    errno = 0;
  }
}

}  // namespace lockstep
