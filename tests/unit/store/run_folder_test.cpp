#include <lockstep/store/run_folder.hpp>

#include <gmock/gmock.h>
#include <unistd.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <lockstep/store/file.hpp>

#include "../temporary_folder.hpp"
#include "failure.hpp"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string failure_to_create(const fs::path& path) {
  return store_failure([&] { RunFolder::create(path); });
}

TEST(RunFolder, makes_the_folder_with_its_parents) {
  const TemporaryFolder folder;
  const RunFolder run = RunFolder::create(folder.path() / "a" / "b");
  run.write("config.json", "{}");
  EXPECT_EQ(read_file(folder.path() / "a" / "b" / "config.json"), "{}");
}

TEST(RunFolder, takes_an_unfinished_run_again) {
  const TemporaryFolder folder;
  RunFolder::create(folder.path()).write("config.json", "{}");
  EXPECT_EQ(failure_to_create(folder.path()), "");
}

TEST(RunFolder, refuses_a_finished_run) {
  const TemporaryFolder folder;
  RunFolder::create(folder.path()).finish({});
  EXPECT_EQ(failure_to_create(folder.path()),
            folder.path().string() + " holds a finished run: choose another --out or remove it");
}

TEST(RunFolder, refuses_a_path_below_a_regular_file) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  EXPECT_THAT(failure_to_create(folder.path() / "file" / "run"), HasSubstr("choose another --out"));
  EXPECT_THAT(failure_to_create(folder.path() / "file"), HasSubstr("choose another --out"));
}

TEST(RunFolder, refuses_a_folder_that_cannot_be_written_to) {
  if (::access("/proc/self", W_OK) == 0) GTEST_SKIP() << "root may write to /proc here";
  EXPECT_THAT(failure_to_create("/proc/self"), HasSubstr("choose another --out"));
}

TEST(RunFolder, the_summary_has_its_keys_in_order) {
  const TemporaryFolder folder;
  Summary summary;
  summary.test_accuracy = 0.9672;
  summary.weights_sha256 = "ab";
  summary.data = "bad \xff path";
  summary.validation_loss = std::numeric_limits<double>::quiet_NaN();
  RunFolder::create(folder.path()).finish(summary);

  const auto json = nlohmann::ordered_json::parse(read_file(folder.path() / "summary.json"));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_THAT(keys, testing::ElementsAre("test_loss", "test_accuracy", "validation_loss",
                                         "validation_accuracy", "weights_sha256", "steps",
                                         "world_size", "restarts", "ranks_lost", "seconds",
                                         "samples_per_second", "arithmetic", "engine", "isa",
                                         "communicator", "data", "synthetic"));
  EXPECT_EQ(json.at("test_accuracy"), 0.9672);
  EXPECT_EQ(json.at("weights_sha256"), "ab");
  EXPECT_TRUE(json.at("validation_loss").is_null());
  EXPECT_EQ(json.at("synthetic"), false);
}

TEST(RunFolder, a_model_is_a_file_or_that_of_a_run) {
  const TemporaryFolder folder;
  EXPECT_EQ(model_path(folder.path()), folder.path() / "model.safetensors");
  EXPECT_EQ(model_path("some/model.safetensors"), "some/model.safetensors");
}

}  // namespace
}  // namespace lockstep
