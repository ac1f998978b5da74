#include "scratch.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

#include <lockstep/core/error.hpp>

namespace lockstep {

namespace fs = std::filesystem;

Scratch::Scratch() {
  std::string name = (fs::temp_directory_path() / "lockstep-data-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
  folder_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Scratch::write(const std::string& name, std::span<const std::uint8_t> bytes) const {
  std::ofstream(path(name), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

Bytes Scratch::read(const std::string& name) const {
  std::ifstream file(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Scratch::gzip(const std::string& name) const {
  const Bytes bytes = read(name);
  gzFile file = gzopen(path(name + ".gz").c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose_w(file);
  fs::remove(path(name));
}

void Scratch::gzip_all() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    names.push_back(entry.path().filename().string());
  }
  for (const std::string& name : names) gzip(name);
}

Samples counted_samples(std::size_t count, std::size_t rows, std::size_t columns,
                        std::size_t classes) {
  Samples samples{rows, columns, Bytes(count * rows * columns), Bytes(count)};
  for (std::size_t i = 0; i < samples.pixels.size(); ++i) {
    samples.pixels[i] = static_cast<std::uint8_t>(i * 31 % 251);
  }
  for (std::size_t i = 0; i < count; ++i) {
    samples.labels[i] = static_cast<std::uint8_t>(i % classes);
  }
  return samples;
}

std::string data_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    return line;
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace lockstep
