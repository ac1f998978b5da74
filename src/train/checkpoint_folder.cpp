#include "checkpoint_folder.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace lockstep {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-";
constexpr std::string_view suffix = ".safetensors";
constexpr std::string_view half_written = ".part";  // what write_file calls its temporary files

/// The step in a checkpoint's name; nothing for other names.
std::optional<std::uint64_t> step_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix)) {
    return {};
  }
  std::uint64_t step = 0;
  const char* end = name.data() + name.size() - suffix.size();
  const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, step);
  if (error != std::errc{} || stop != end) return {};
  return step;
}

/// What is in a folder; nothing if it can't be read.
std::vector<fs::path> content(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    paths.push_back(at->path());
  }
  return paths;
}

void discard(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

fs::path CheckpointFolder::file(std::uint64_t step) const {
  return path_ / fmt::format("{}{:08}{}", prefix, step, suffix);
}

std::vector<fs::path> CheckpointFolder::newest_first() const {
  std::vector<fs::path> paths = content(path_);
  std::erase_if(paths, [](const fs::path& path) { return !step_of(path); });
  std::ranges::sort(paths, std::greater(), [](const fs::path& path) { return *step_of(path); });
  return paths;
}

void CheckpointFolder::save(const Checkpoint& checkpoint) const {
  std::error_code seen_by_the_write;
  fs::create_directory(path_, seen_by_the_write);
  write_checkpoint(file(checkpoint.state.step), checkpoint);
  std::size_t kept = 0;
  for (const fs::path& path : newest_first()) {
    const std::uint64_t step = *step_of(path);
    const bool later = step > checkpoint.state.step;
    if (!later) ++kept;
    if (later || (kept > keep_ && step != checkpoint.best_step)) discard(path);
  }
}

void CheckpointFolder::remove_after(std::uint64_t step) const {
  for (const fs::path& path : content(path_)) {
    const auto found = step_of(path);
    if (found ? *found > step : path.extension() == half_written) discard(path);
  }
}

}  // namespace lockstep
