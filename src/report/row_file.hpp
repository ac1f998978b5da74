#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace lockstep {

/// A text file that grows by whole rows: what can't be written waits in memory for the next flush,
/// and no part of it stays in the file.
class RowFile {
 public:
  /// Begins the file anew with `header`, a line.
  RowFile(std::filesystem::path path, const std::string& header);
  /// Goes on behind the file's first lines, as far as each is to be kept; cuts off what follows.
  RowFile(std::filesystem::path path, const std::function<bool(std::string_view line)>& keep);

  void add(const std::string& row);  // which ends its line
  /// So much is waiting that a flush is worth it.
  bool full() const noexcept { return waiting_.size() >= next_flush_; }
  bool flush();  // false if it failed

 private:
  std::filesystem::path path_;
  std::uintmax_t size_ = 0;  // of the whole rows in the file
  std::string waiting_;      // the rows after those
  std::size_t next_flush_;   // when so much is waiting
};

}  // namespace lockstep
