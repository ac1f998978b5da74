#include <lockstep/store/safetensors.hpp>

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <lockstep/core/random.hpp>
#include <lockstep/store/file.hpp>

#include "../temporary_folder.hpp"
#include "failure.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TensorFile example() {
  return {{{"cell.kernel", {2, 3}, {1, 2, 3, 4, 5, std::numeric_limits<float>::denorm_min()}},
           {"bias", {2}, {-0.5f, 0.25f}},
           {"nothing", {0, 4}, {}},
           {"scalar", {}, {7}}},
          {{"arithmetic", "1"}, {"data", "synthetic"}},
          {}};
}

/// A file of that header (padded by nothing) and that many bytes of values.
std::string file_of(const std::string& header, std::size_t values) {
  std::string text(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(text.data(), &length, 8);
  return text + header + std::string(values, '\0');
}

std::string failure_to_read(const std::string& text) {
  const TemporaryFolder folder;
  write_file(folder.path() / "model", text);
  return store_failure([&] { read_tensors(folder.path() / "model"); });
}

std::string failure_of_header(const std::string& header, std::size_t values = 8) {
  return failure_to_read(file_of(header, values));
}

TEST(Safetensors, reads_back_what_was_written) {
  const TemporaryFolder folder;
  write_tensors(folder.path() / "model", example());
  const TensorFile file = read_tensors(folder.path() / "model");
  EXPECT_EQ(file.metadata, example().metadata);
  ASSERT_EQ(file.tensors.size(), example().tensors.size());
  for (const NamedTensor& tensor : example().tensors) {
    EXPECT_EQ(file.find(tensor.name, tensor.shape).values, tensor.values) << tensor.name;
  }
}

TEST(Safetensors, the_values_begin_at_a_multiple_of_eight) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "ab", "abc", "abcd"}) {
    write_tensors(folder.path() / "model", {{{name, {1}, {1}}}, {}, {}});
    EXPECT_EQ((read_file(folder.path() / "model").size() - sizeof(float)) % 8, 0u) << name;
  }
}

TEST(Safetensors, find_names_what_is_missing_or_of_another_shape) {
  TensorFile file = example();
  file.path = "run/model";
  EXPECT_EQ(store_failure([&] { file.find("W"); }),
            "run/model has no tensor 'W': choose a model of lockstep");
  EXPECT_THAT(store_failure([&] { file.find("bias", {3}); }),
              HasSubstr("tensor 'bias' has shape [2], not [3]"));
}

TEST(Safetensors, takes_tensors_in_any_order_of_the_header) {
  const TemporaryFolder folder;
  write_file(folder.path() / "model",
             file_of(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                     R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  )",
                     8));
  const TensorFile file = read_tensors(folder.path() / "model");
  ASSERT_EQ(file.tensors.size(), 2u);
  EXPECT_EQ(file.tensors[0].name, "a");
  EXPECT_EQ(file.tensors[1].name, "b");
}

TEST(Safetensors, refuses_what_is_shorter_than_it_says) {
  EXPECT_THAT(failure_to_read("short"), HasSubstr("shorter than 8 bytes"));
  EXPECT_THAT(failure_to_read(std::string(8, '\xff')), HasSubstr("header"));
  EXPECT_THAT(failure_to_read(file_of("{}", 0).substr(0, 9)), HasSubstr("header"));
  EXPECT_THAT(failure_of_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7),
              HasSubstr("cut short: 7 of 8 bytes"));
}

TEST(Safetensors, refuses_values_of_no_tensor) {
  EXPECT_THAT(failure_of_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
              HasSubstr("4 bytes follow"));
  EXPECT_THAT(failure_of_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"),
              HasSubstr("gap before tensor 'a'"));
}

TEST(Safetensors, refuses_tensors_that_overlap) {
  EXPECT_THAT(failure_of_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"),
              HasSubstr("tensor 'b'"));
}

TEST(Safetensors, refuses_other_types) {
  EXPECT_THAT(failure_of_header(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})"),
              HasSubstr("not of type F32"));
}

TEST(Safetensors, refuses_sizes_that_overflow) {
  for (const char* shape :
       {"[4611686018427387904]", "[4294967296,4294967296]", "[4611686018427387906]",
        "[18446744073709551616]", "[-2]", "[2.0]", "2", "{\"x\":2}"}) {
    const std::string header =
        R"({"a":{"dtype":"F32","data_offsets":[0,8],"shape":)" + std::string(shape) + "}}";
    EXPECT_THAT(failure_of_header(header), HasSubstr("tensor 'a'")) << shape;
  }
}

TEST(Safetensors, refuses_headers_of_another_form) {
  for (const char* header :
       {"", "[]", "{", "{}x", "{\"a\":1}", "{\"a\":{}}", "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":[],\"__metadata__\":{}}", "{\"a\":[[[[[[[[[[1]]]]]]]]]]}"}) {
    EXPECT_NE(failure_of_header(header, 0), "") << header;
  }
}

/// Whatever the bytes, the reader returns a consistent file or throws Error (store).
TEST(Safetensors, survives_mutated_bytes) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "model";
  write_tensors(path, example());
  const std::string whole = read_file(path);
  const Random random(1, Stream::synthetic);
  for (std::uint64_t round = 0; round < 1000; ++round) {
    std::string text = whole;
    const auto numbers = random.block(round);
    const std::size_t changes = 1 + numbers[0] % 3;
    for (std::size_t i = 0; i < changes; ++i) {
      text[numbers[1 + i] % text.size()] = static_cast<char>(numbers[1 + i] >> 24);
    }
    if (numbers[0] % 7 == 0) text.resize(numbers[3] % text.size());
    std::FILE* const file = std::fopen(path.c_str(), "wb");  // without syncs, for speed
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    store_failure([&] {
      for (const NamedTensor& tensor : read_tensors(path).tensors) {
        std::size_t size = 1;
        for (const std::size_t extent : tensor.shape) size *= extent;
        EXPECT_EQ(tensor.values.size(), size);
      }
    });
  }
}

/// Python's own reader is the judge of the format. LOCKSTEP_PYTHON: the one that launch/setup made.
TEST(Safetensors, pythons_safetensors_opens_the_file) {
  const std::string python = "'" LOCKSTEP_PYTHON "' -c ";
  if (std::system((python + "'import numpy, safetensors' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "no " LOCKSTEP_PYTHON " with numpy and safetensors: run launch/setup";
  }
  const TemporaryFolder folder;
  write_tensors(folder.path() / "model", example());
  ::setenv("LOCKSTEP_TEST_MODEL", (folder.path() / "model").c_str(), 1);
  const std::string script = R"("
import os, numpy, safetensors
path = os.environ['LOCKSTEP_TEST_MODEL']
with safetensors.safe_open(path, 'numpy') as file:
    assert file.metadata() == {'arithmetic': '1', 'data': 'synthetic'}
    assert set(file.keys()) == {'cell.kernel', 'bias', 'nothing', 'scalar'}
    kernel = file.get_tensor('cell.kernel')
    assert kernel.dtype == numpy.float32 and kernel.shape == (2, 3)
    assert kernel.tobytes() == numpy.array([1, 2, 3, 4, 5, 1e-45], numpy.float32).tobytes()
    assert file.get_tensor('bias').tolist() == [-0.5, 0.25]
    assert file.get_tensor('scalar') == 7
")";
  EXPECT_EQ(std::system((python + script).c_str()), 0);
}

}  // namespace
}  // namespace lockstep
