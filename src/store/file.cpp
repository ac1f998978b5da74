#include <lockstep/store/file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <lockstep/core/error.hpp>
#include <lockstep/store/folder_lock.hpp>

namespace lockstep {
namespace {

[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error_number) {
  const char* remedy = "check the folder's permissions or choose another --out";
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
    remedy = "free some space or choose another --out";
  }
  throw Error(ExitCode::store, fmt::format("can't write {}: {}: {}", path.string(),
                                           system_error_text(error_number), remedy));
}

[[noreturn]] void fail_to_read(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ExitCode::store,
              fmt::format("can't read {}: {}: choose another file", path.string(), reason));
}

/// Removes the temporary file, unless it was renamed.
struct Remover {
  std::filesystem::path path;
  ~Remover() {
    if (!path.empty()) ::unlink(path.c_str());
  }
};

bool write_all(int descriptor, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return true;
}

/// Some network file systems can't sync a folder and say EINVAL; their rename needs no sync.
bool sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return descriptor && (::fsync(descriptor.get()) == 0 || errno == EINVAL);
}

}  // namespace

void write_file(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::filesystem::path temporary =
      folder / fmt::format(".{}.{}.part", path.filename().string(), ::getpid());
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) fail_to_write(path, errno);
  Remover remover{temporary};
  if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) fail_to_write(path, errno);
  file.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail_to_write(path, errno);
  remover.path.clear();
  if (!sync_folder(folder)) fail_to_write(path, errno);
}

bool sync_file(const std::filesystem::path& path) noexcept {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file && ::fsync(file.get()) == 0;
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!file || ::fstat(file.get(), &status) != 0) fail_to_read(path, system_error_text(errno));
  if (!S_ISREG(status.st_mode)) fail_to_read(path, "it is no regular file");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::read(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_read(path, system_error_text(errno));
    if (count == 0) fail_to_read(path, "it became shorter while it was read");
    done += static_cast<std::size_t>(count);
  }
  return text;
}

}  // namespace lockstep
