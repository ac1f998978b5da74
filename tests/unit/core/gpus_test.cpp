#include <lockstep/core/gpus.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep {
namespace {

using Outcome = GpuSurvey::Outcome;

GpuSurvey survey(Outcome outcome) {
  return {.outcome = outcome,
          .host = "node7",
          .runtime = 13000,
          .driver = 13000,
          .architectures = "80,90"};
}

GpuSurvey survey_of(const std::string& architectures, std::vector<int> capabilities) {
  GpuSurvey result = survey(Outcome::found);
  result.architectures = architectures;
  for (const int each : capabilities) result.gpus.push_back({"GPU", each, 1});
  return result;
}

void expect_refusal(const GpuSurvey& refused, const std::string& reason,
                    const std::string& remedy) {
  const UsableGpus usable = usable_gpus(refused);
  EXPECT_THAT(usable.places, testing::IsEmpty());
  EXPECT_EQ(usable.reason, reason);
  EXPECT_THAT(usable.remedy, testing::HasSubstr(remedy));
  EXPECT_THAT(usable.reason + usable.remedy, testing::Not(testing::HasSubstr("\n")));
}

TEST(Gpus, a_build_without_cuda_says_so) {
  expect_refusal({}, "this build has no CUDA", "install the CUDA toolkit");
}

TEST(Gpus, a_host_without_driver_says_so) {
  GpuSurvey none = survey(Outcome::no_driver);
  none.driver = 0;
  expect_refusal(none, "no NVIDIA driver on node7", "nvidia-smi");
}

TEST(Gpus, a_driver_that_is_too_old_is_named_with_what_is_needed) {
  GpuSurvey old = survey(Outcome::old_driver);
  old.driver = 12020;
  expect_refusal(old,
                 "the NVIDIA driver of node7 takes CUDA 12.2 at most, and this build needs CUDA "
                 "13.0",
                 "update the driver");
}

TEST(Gpus, where_none_is_visible_the_mask_is_named) {
  GpuSurvey masked = survey(Outcome::none_visible);
  expect_refusal(masked, "no GPU is visible on node7", "CUDA_VISIBLE_DEVICES");
  masked.visible = "-1";
  expect_refusal(masked, "no GPU is visible on node7 (CUDA_VISIBLE_DEVICES=-1)", "nvidia-smi");
}

TEST(Gpus, a_failure_of_cuda_is_told_in_its_words) {
  GpuSurvey failed = survey(Outcome::failed);
  failed.error = "system not yet initialized";
  expect_refusal(failed, "CUDA fails on node7: system not yet initialized", "nvidia-smi");
}

TEST(Gpus, a_compute_capability_that_is_not_built_is_told_with_what_is) {
  expect_refusal(survey_of("80,90", {61}),
                 "the kernels of this build (80,90) do not run on the GPU of node7, compute "
                 "capability 6.1",
                 "-DCMAKE_CUDA_ARCHITECTURES=61");
  expect_refusal(survey_of("", {90}),
                 "the kernels of this build (none) do not run on the GPU of node7, compute "
                 "capability 9.0",
                 "-DCMAKE_CUDA_ARCHITECTURES=90");
}

TEST(Gpus, only_those_that_the_kernels_run_on_are_taken) {
  EXPECT_THAT(usable_gpus(survey_of("80,90", {61, 90, 75, 86})).places, testing::ElementsAre(1, 3));
}

TEST(Gpus, code_for_one_architecture_alone_runs_there_alone) {
  const auto runs = [](const std::string& architectures, int capability) {
    return !usable_gpus(survey_of(architectures, {capability})).places.empty();
  };
  EXPECT_TRUE(runs("90", 120));  // its PTX
  EXPECT_TRUE(runs("80-virtual", 90));
  EXPECT_TRUE(runs("80-real", 89));
  EXPECT_FALSE(runs("80-real", 90));
  EXPECT_FALSE(runs("86-real", 80));
  EXPECT_TRUE(runs("90a", 90));
  EXPECT_FALSE(runs("90a", 100));
  EXPECT_TRUE(runs("80-real,90a,100-real", 103));
  EXPECT_FALSE(runs("native", 90));
}

TEST(Gpus, the_survey_of_this_host_finds_gpus_or_says_why_not) {
  const GpuSurvey here = survey_gpus();
  EXPECT_EQ(here.outcome == Outcome::found, !here.gpus.empty());
  const UsableGpus usable = usable_gpus(here);
  EXPECT_EQ(usable.reason.empty(), !usable.places.empty());
  for (const Gpu& gpu : here.gpus) EXPECT_NE(gpu.id, 0u) << gpu.name;
}

}  // namespace
}  // namespace lockstep
