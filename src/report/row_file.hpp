#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

/// The step that a row is of; nothing for a line that is no row.
using StepOf = std::function<std::optional<std::uint64_t>(std::string_view line)>;

/// A text file that grows by whole rows: what can't be written waits in memory for the next flush,
/// and no part of it stays in the file.
class RowFile {
 public:
  /// Goes on behind the file's rows of the steps up to `step`, and cuts off what follows them. A
  /// file that does not begin with `header` (nothing, or a line) is begun anew.
  RowFile(std::filesystem::path path, const std::string& header, std::uint64_t step,
          const StepOf& step_of);

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
