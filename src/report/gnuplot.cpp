#include "gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/core/handle.hpp>

namespace lockstep {
namespace {

struct DescriptorTraits {
  using Type = int;
  static int null() { return -1; }
  static void destroy(int descriptor) noexcept { ::close(descriptor); }
};
using Descriptor = Handle<DescriptorTraits>;

/// What the child does before it becomes gnuplot.
class FileActions {
 public:
  FileActions(const std::filesystem::path& folder, int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
  }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// Reads until the writer closes; false if that took longer than until `deadline`.
bool read_until(int descriptor, double deadline, std::string& text) {
  char block[4096];
  for (;;) {
    const double left = deadline - seconds_now();
    pollfd wait{descriptor, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&wait, 1, static_cast<int>(left * 1e3) + 1) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t count = ::read(descriptor, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    text.append(block, static_cast<std::size_t>(count));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

/// gnuplot's message is its last line that is not empty.
std::string last_line(std::string text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "no message";
  text.resize(end + 1);
  const std::size_t begin = text.find_last_of('\n');
  return text.substr(text.find_first_not_of(" \t", begin == std::string::npos ? 0 : begin + 1));
}

}  // namespace

std::string run_gnuplot(const std::filesystem::path& folder, const std::string& commands,
                        const std::string& script, double seconds) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error_text(errno);
  const Descriptor output(ends[0]);
  Descriptor input(ends[1]);
  const FileActions actions(folder, input.get());
  const char* const arguments[] = {"gnuplot",        "-d",           "-e",
                                   commands.c_str(), script.c_str(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, "gnuplot", actions.get(), nullptr,
                                   const_cast<char* const*>(arguments), environ);
  if (error == ENOENT) return "gnuplot is missing: install gnuplot-nox";
  if (error != 0) return "gnuplot did not start: " + system_error_text(error);
  input.reset();

  std::string message;
  const bool in_time = read_until(output.get(), seconds_now() + seconds, message);
  if (!in_time) ::kill(child, SIGKILL);
  const int status = wait_for(child);
  if (!in_time) return fmt::format("gnuplot took longer than {} s", seconds);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return "gnuplot failed: " + last_line(message);
}

std::string gnuplot_quote(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + "'";
}

}  // namespace lockstep
