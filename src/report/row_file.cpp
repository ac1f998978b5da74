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

std::size_t kept_size(std::string_view text, const std::function<bool(std::string_view)>& keep) {
  for (std::size_t kept = 0;;) {
    const std::size_t end = text.find('\n', kept);
    if (end == std::string_view::npos || !keep(text.substr(kept, end - kept))) return kept;
    kept = end + 1;
  }
}

}  // namespace

RowFile::RowFile(std::filesystem::path path, const std::string& header)
    : path_(std::move(path)), waiting_(header), next_flush_(flush_size) {
  std::ofstream(path_, std::ios::binary);
}

RowFile::RowFile(std::filesystem::path path, const std::function<bool(std::string_view line)>& keep)
    : path_(std::move(path)), next_flush_(flush_size) {
  if (std::filesystem::is_regular_file(path_)) size_ = kept_size(content(path_), keep);
  if (size_ == 0) {
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
