#include "checkpoint_folder.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include <lockstep/core/error.hpp>

#include "../temporary_folder.hpp"
#include "some_checkpoint.hpp"

namespace lockstep {
namespace {

using testing::ElementsAre;

void save(const CheckpointFolder& folder, std::uint64_t step, std::uint64_t best = 0) {
  Checkpoint checkpoint = some_checkpoint(step);
  checkpoint.best_step = best;
  folder.save(checkpoint);
}

std::vector<std::string> names(const CheckpointFolder& folder) {
  std::vector<std::string> names;
  for (const auto& path : folder.newest_first()) names.push_back(path.stem().string());
  return names;
}

TEST(CheckpointFolder, keeps_the_newest_and_the_best) {
  const TemporaryFolder run;
  const CheckpointFolder folder(run.path(), 2);
  for (const std::uint64_t step : {10, 20, 30, 40}) save(folder, step, step < 20 ? 0 : 20);
  EXPECT_THAT(names(folder), ElementsAre("step-00000040", "step-00000030", "step-00000020"));
  save(folder, 50, 50);
  EXPECT_THAT(names(folder), ElementsAre("step-00000050", "step-00000040"));
}

TEST(CheckpointFolder, sorts_by_number_and_leaves_other_files_alone) {
  const TemporaryFolder run;
  const CheckpointFolder folder(run.path(), 9);
  for (const std::uint64_t step : {900000000ull, 99999999ull, 100000000ull}) save(folder, step);
  std::ofstream(run.path() / "checkpoints" / "step-x.safetensors") << "";
  std::ofstream(run.path() / "checkpoints" / "step-1.safetensors.bak") << "";
  EXPECT_THAT(names(folder), ElementsAre("step-100000000", "step-99999999"));
  EXPECT_TRUE(std::filesystem::exists(run.path() / "checkpoints" / "step-x.safetensors"));
}

TEST(CheckpointFolder, drops_those_of_later_steps_and_half_written_ones) {
  const TemporaryFolder run;
  const CheckpointFolder folder(run.path(), 9);
  for (const std::uint64_t step : {10, 20, 30}) save(folder, step);
  const auto half = run.path() / "checkpoints" / ".step-00000040.safetensors.77.part";
  std::ofstream(half) << "";
  folder.remove_after(20);
  EXPECT_THAT(names(folder), ElementsAre("step-00000020", "step-00000010"));
  EXPECT_FALSE(std::filesystem::exists(half));
  folder.remove_after(0);
  EXPECT_THAT(names(folder), ElementsAre());
}

TEST(CheckpointFolder, has_nothing_before_the_first_and_fails_where_the_run_is_gone) {
  const TemporaryFolder run;
  EXPECT_THAT(names(CheckpointFolder(run.path(), 3)), ElementsAre());
  EXPECT_THROW(save(CheckpointFolder(run.path() / "gone", 3), 1), Error);
}

}  // namespace
}  // namespace lockstep
