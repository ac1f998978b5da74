#include "content.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <lockstep/core/handle.hpp>

#include "errors.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

struct DescriptorTraits {
  using Type = int;
  static Type null() { return -1; }
  static void destroy(Type descriptor) noexcept { ::close(descriptor); }
};

struct GzTraits {
  using Type = gzFile;
  static Type null() { return nullptr; }
  static void destroy(Type file) noexcept { gzclose_r(file); }
};

Error wrong_length(const fs::path& path, std::uint64_t is, std::uint64_t should) {
  return damaged(path, fmt::format("holds {} bytes where its header asks for {}", is, should));
}

class PlainContent final : public Content {
 public:
  explicit PlainContent(const fs::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (!file_) throw unreadable(path_, errno);
    const off_t size = ::lseek(file_.get(), 0, SEEK_END);
    if (size < 0) throw unreadable(path_, errno);
    size_ = static_cast<std::uint64_t>(size);
  }

  std::uint64_t size() const noexcept { return size_; }
  bool compressed() const noexcept override { return false; }
  void expect_length(std::uint64_t length) override {
    if (length != size_) throw wrong_length(path_, size_, length);
  }
  void skip(std::uint64_t bytes) override { place_ += bytes; }
  void seek(std::uint64_t place) { place_ = place; }

  void read(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(place_));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw unreadable(path_, errno);
      if (got == 0) throw damaged(path_, fmt::format("is cut short at byte {}", place_));
      place_ += static_cast<std::uint64_t>(got);
      taken_ += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }

  void expect_end() override { expect_length(place_); }
  void watch(Sha256&) noexcept override {}
  std::uint64_t bytes_taken() const noexcept override { return taken_; }

 private:
  fs::path path_;
  Handle<DescriptorTraits> file_;
  std::uint64_t size_ = 0;
  std::uint64_t place_ = 0;
  std::uint64_t taken_ = 0;
};

class GzContent final : public Content {
 public:
  /// `recorded_length`: the length modulo 2^32 that stands at the end of the file.
  GzContent(const fs::path& path, std::uint64_t packed_size, std::uint32_t recorded_length)
      : path_(path),
        packed_size_(packed_size),
        recorded_length_(recorded_length),
        file_(gzopen(path.c_str(), "rb")) {
    if (!file_) throw unreadable(path_, errno);
    gzbuffer(file_.get(), 1U << 18U);
  }

  bool compressed() const noexcept override { return true; }
  std::uint64_t bytes_taken() const noexcept override { return place_; }
  void watch(Sha256& hash) noexcept override { watching_ = &hash; }

  void expect_length(std::uint64_t length) override {
    constexpr std::uint64_t best_ratio = 1032;  // of deflate: 258 bytes from 2 bits
    if (length / best_ratio > packed_size_) {
      throw damaged(path_, fmt::format("cannot hold the {} bytes its header asks for", length));
    }
    // Only a file of several gzip members may differ here and still be right.
    if (recorded_length_ != static_cast<std::uint32_t>(length)) {
      skip(length - place_);
      expect_end();
    }
  }

  void skip(std::uint64_t bytes) override {
    std::vector<std::uint8_t> scratch(static_cast<std::size_t>(std::min(bytes, chunk)));
    for (; bytes > 0; bytes -= std::min(bytes, chunk)) {
      read({scratch.data(), static_cast<std::size_t>(std::min(bytes, chunk))});
    }
  }

  void read(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const auto got = read_some(out.first(std::min<std::size_t>(out.size(), chunk)));
      if (got == 0) {
        throw damaged(path_, fmt::format("ends after {} bytes; its header asks for more", place_));
      }
      out = out.subspan(got);
    }
  }

  void expect_end() override {
    std::uint8_t more = 0;
    if (read_some({&more, 1}) != 0) {
      throw damaged(path_,
                    fmt::format("holds more than the {} bytes its header asks for", place_ - 1));
    }
  }

 private:
  static constexpr std::uint64_t chunk = 1U << 18U;

  std::size_t read_some(std::span<std::uint8_t> out) {
    const int got = gzread(file_.get(), out.data(), static_cast<unsigned>(out.size()));
    int status = Z_OK;
    const char* const text = gzerror(file_.get(), &status);
    if (status == Z_ERRNO) throw unreadable(path_, errno);
    if (status == Z_BUF_ERROR) throw damaged(path_, "is cut short inside its gzip stream");
    if (got < 0 || status != Z_OK) {
      throw damaged(path_, fmt::format("is damaged inside its gzip stream ({})", text));
    }
    place_ += static_cast<std::uint64_t>(got);
    const auto size = static_cast<std::size_t>(got);
    if (watching_ != nullptr) watching_->update(std::as_bytes(out.first(size)));
    return size;
  }

  fs::path path_;
  std::uint64_t packed_size_;
  std::uint32_t recorded_length_;
  Handle<GzTraits> file_;
  std::uint64_t place_ = 0;
  Sha256* watching_ = nullptr;
};

}  // namespace

std::unique_ptr<Content> open_content(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) throw damaged(path, "is not there or is no file");
  PlainContent raw(path);
  std::array<std::uint8_t, 4> bytes{};
  if (raw.size() < bytes.size()) throw damaged(path, "is cut short before its header ends");
  raw.read(bytes);
  if (bytes[0] != 0x1f || bytes[1] != 0x8b) return std::make_unique<PlainContent>(path);
  raw.seek(raw.size() - bytes.size());
  raw.read(bytes);
  const auto recorded = static_cast<std::uint32_t>(bytes[0]) | std::uint32_t{bytes[1]} << 8U |
                        std::uint32_t{bytes[2]} << 16U | std::uint32_t{bytes[3]} << 24U;
  return std::make_unique<GzContent>(path, raw.size(), recorded);
}

}  // namespace lockstep
