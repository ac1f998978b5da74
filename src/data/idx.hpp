#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include <lockstep/core/sha256.hpp>

namespace lockstep {

/// An IDX file of unsigned bytes, plain or gzip: a big-endian magic number 0x000008DD with DD
/// dimensions, as many 32-bit sizes, the bytes. The first dimension counts the items.
class IdxFile {
 public:
  /// Reads the header and checks it against the file's length; no size may be 0. Error (data).
  IdxFile(std::filesystem::path path, std::size_t dimensions);

  const std::filesystem::path& path() const noexcept { return path_; }
  const std::vector<std::size_t>& shape() const noexcept { return shape_; }
  std::size_t count() const noexcept { return shape_[0]; }

  /// Items [first, first + count) of count(). Of a plain file no other byte is read; a gzip file is
  /// unpacked to its end the first time, so that its check sum is held, but only these items are
  /// kept.
  std::vector<std::uint8_t> read(std::size_t first, std::size_t count);

  /// Bytes that read() took from the file, of gzip the unpacked ones; headers left out.
  std::uint64_t bytes_read() const noexcept { return bytes_read_; }

  /// Of the whole uncompressed content, the header too. Reads it, unless read() unpacked it.
  Sha256 hash() const;
  /// Adds the whole uncompressed content to a hash.
  void add_to(Sha256& hash) const;

 private:
  std::filesystem::path path_;
  std::vector<std::size_t> shape_;
  std::size_t item_size_ = 1;
  std::uint64_t header_size_ = 0;
  std::uint64_t total_size_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::optional<Sha256> unpacked_;  // the hash of a gzip file that was read whole and found right
};

/// The header of an IDX file of unsigned bytes. Every size is below 2^32.
std::vector<std::uint8_t> idx_header(std::span<const std::size_t> shape);

/// Writes an IDX file under a temporary name beside `path` and renames it. Error (data).
void write_idx(const std::filesystem::path& path, std::span<const std::size_t> shape,
               std::span<const std::uint8_t> items);

}  // namespace lockstep
