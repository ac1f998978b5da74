#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include <lockstep/core/sha256.hpp>

namespace lockstep {

/// The uncompressed bytes of a file, read forwards. Whether it is gzip shows in its first bytes,
/// not in its name. Every failure is Error (data) that names the file.
class Content {
 public:
  virtual ~Content() = default;

  virtual bool compressed() const noexcept = 0;
  /// Throws unless the content may be `length` bytes long: exact for a plain file; for gzip what
  /// its own record of the length says, and the rest is read if that differs. Before any other
  /// reading of a large `length`, so that a false header cannot ask for memory that the file cannot
  /// fill.
  virtual void expect_length(std::uint64_t length) = 0;
  /// Costs no reading of a plain file.
  virtual void skip(std::uint64_t bytes) = 0;
  /// Fills `out` or throws.
  virtual void read(std::span<std::uint8_t> out) = 0;
  /// Throws unless all was read or skipped, and gzip's check sum is right.
  virtual void expect_end() = 0;
  /// What is unpacked of a gzip file from here on goes into `hash` too; not for a plain one.
  virtual void watch(Sha256& hash) noexcept = 0;
  /// How many bytes were taken from a plain file, or unpacked from gzip.
  virtual std::uint64_t bytes_taken() const noexcept = 0;
};

std::unique_ptr<Content> open_content(const std::filesystem::path& path);

}  // namespace lockstep
