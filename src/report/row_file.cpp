#include "row_file.hpp"

#include <fstream>
#include <iterator>
#include <system_error>

namespace lockstep {
namespace {

constexpr std::size_t flush_size = 8192;
constexpr std::size_t most_waiting = std::size_t{1}
                                     << 26;  // of a disk that stays full, give up rows

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// How many bytes of `text` are the header and whole rows of the steps up to `step`.
std::size_t kept_size(std::string_view text, std::string_view header, std::uint64_t step,
                      const StepOf& step_of) {
  if (step == 0 || !text.starts_with(header)) return 0;
  std::size_t kept = header.size();
  for (;;) {
    const std::size_t end = text.find('\n', kept);
    if (end == std::string_view::npos) return kept;
    const auto row_step = step_of(text.substr(kept, end - kept));
    if (!row_step || *row_step > step) return kept;
    kept = end + 1;
  }
}

}  // namespace

RowFile::RowFile(std::filesystem::path path, const std::string& header, std::uint64_t step,
                 const StepOf& step_of)
    : path_(std::move(path)), next_flush_(flush_size) {
  size_ = step == 0 ? 0 : kept_size(content(path_), header, step, step_of);
  if (size_ == 0) {
    waiting_ = header;
    std::ofstream(path_, std::ios::binary);
  } else {
    std::filesystem::resize_file(path_, size_);
  }
}

void RowFile::add(const std::string& row) {
  waiting_ += row;
}

bool RowFile::flush() {
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  file << waiting_ << std::flush;
  file.close();
  if (file) {
    size_ += waiting_.size();
    waiting_.clear();
    next_flush_ = flush_size;
    return true;
  }
  std::error_code ignored;
  std::filesystem::resize_file(path_, size_, ignored);
  if (waiting_.size() > most_waiting) waiting_.clear();
  next_flush_ = waiting_.size() + flush_size;
  return false;
}

}  // namespace lockstep
