#include "idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <lockstep/core/huge_pages.hpp>

#include "content.hpp"
#include "errors.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

std::uint32_t read_big_endian(Content& content) {
  std::uint8_t bytes[4];
  content.read(bytes);
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
         std::uint32_t{bytes[2]} << 8U | std::uint32_t{bytes[3]};
}

void check_magic(const fs::path& path, std::uint32_t magic, std::size_t dimensions) {
  const std::uint32_t expected = 0x0800U | static_cast<std::uint32_t>(dimensions);
  if (magic == expected) return;
  throw damaged(path, fmt::format("is no IDX file of {} (magic {:#010x}, not {:#010x})",
                                  dimensions == 1 ? "labels" : "pictures", magic, expected));
}

std::uint64_t checked_product(const fs::path& path, std::span<const std::size_t> shape) {
  std::uint64_t product = 1;
  for (const std::size_t size : shape) {
    if (size == 0) throw damaged(path, fmt::format("is empty: {}", fmt::join(shape, " x ")));
    if (__builtin_mul_overflow(product, std::uint64_t{size}, &product) || product >> 62U != 0) {
      throw damaged(path,
                    fmt::format("has sizes that no file can have: {}", fmt::join(shape, " x ")));
    }
  }
  return product;
}

void put(std::ofstream& file, std::span<const std::uint8_t> bytes) {
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

IdxFile::IdxFile(fs::path path, std::size_t dimensions)
    : path_(std::move(path)), header_size_(4 + 4 * dimensions) {
  const auto content = open_content(path_);
  check_magic(path_, read_big_endian(*content), dimensions);
  for (std::size_t i = 0; i < dimensions; ++i) shape_.push_back(read_big_endian(*content));
  total_size_ = header_size_ + checked_product(path_, shape_);
  content->expect_length(total_size_);
  item_size_ = static_cast<std::size_t>((total_size_ - header_size_) / shape_[0]);
}

std::vector<std::uint8_t> IdxFile::read(std::size_t first, std::size_t count) {
  if (count == 0) return {};
  const auto content = open_content(path_);
  const std::uint64_t begin = header_size_ + std::uint64_t{first} * item_size_;
  std::vector<std::uint8_t> items;
  items.reserve(count * item_size_);
  prefer_huge_pages(items.data(), items.capacity());  // a step's pictures lie anywhere in there
  items.resize(count * item_size_);
  Sha256 hash;
  const bool to_the_end = content->compressed() && !unpacked_;
  if (to_the_end) content->watch(hash);
  content->skip(begin);
  content->read(items);
  if (to_the_end) {
    content->skip(total_size_ - begin - items.size());
    content->expect_end();
    unpacked_ = std::move(hash);
  }
  bytes_read_ += content->bytes_taken() - (content->compressed() ? header_size_ : 0);
  return items;
}

Sha256 IdxFile::hash() const {
  if (unpacked_) return *unpacked_;
  Sha256 hash;
  add_to(hash);
  return hash;
}

void IdxFile::add_to(Sha256& hash) const {
  const auto content = open_content(path_);
  std::vector<std::uint8_t> chunk(std::size_t{1} << 18U);
  for (std::uint64_t left = total_size_; left > 0;) {
    const std::span piece(chunk.data(), std::min<std::uint64_t>(left, chunk.size()));
    content->read(piece);
    hash.update(std::as_bytes(piece));
    left -= piece.size();
  }
  content->expect_end();
}

std::vector<std::uint8_t> idx_header(std::span<const std::size_t> shape) {
  std::vector<std::uint8_t> bytes{0, 0, 8, static_cast<std::uint8_t>(shape.size())};
  for (const std::size_t size : shape) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      bytes.push_back(static_cast<std::uint8_t>(size >> shift));
    }
  }
  return bytes;
}

void write_idx(const fs::path& path, std::span<const std::size_t> shape,
               std::span<const std::uint8_t> items) {
  const fs::path temporary = fmt::format("{}.{}.part", path.string(), ::getpid());
  std::ofstream file(temporary, std::ios::binary);
  put(file, idx_header(shape));
  put(file, items);
  file.close();
  std::error_code error;
  if (!file) {
    error.assign(errno, std::generic_category());
  } else {
    fs::rename(temporary, path, error);
  }
  if (!error) return;
  std::error_code ignored;
  fs::remove(temporary, ignored);
  throw data_error(path, fmt::format("cannot be written ({}); choose a folder with rights and room",
                                     error.message()));
}

}  // namespace lockstep
