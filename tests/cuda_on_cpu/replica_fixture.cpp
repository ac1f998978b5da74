#include "replica_fixture.hpp"

#include <array>
#include <filesystem>

#include <lockstep/data/dataset.hpp>

#include "../unit/temporary_folder.hpp"
#include "../unit/train/whole_run.hpp"
#include "idx.hpp"

namespace lockstep::replica_tests {
namespace {

/// Small data sets of made digits: 640 training pictures, and 121 of which only some rows are left.
class Pictures : public testing::Environment {
 public:
  void SetUp() override {
    const auto digits = open_dataset({"synthetic"});
    std::filesystem::create_directory(low());
    write(whole(), "train", digits->training(0, 698));  // a twelfth is for validation
    write(whole(), "t10k", digits->test(0, 40));
    write(low(), "train", cropped(digits->training(0, 132)));
    write(low(), "t10k", cropped(digits->test(0, 20)));
  }
  std::filesystem::path whole() const { return folder_.path(); }
  std::filesystem::path low() const { return folder_.path() / "low"; }

 private:
  static Samples cropped(const Samples& samples) {
    constexpr std::size_t first = 10, rows = 5;
    Samples result{rows, samples.columns, {}, samples.labels};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const std::uint8_t* row = samples.picture(i) + first * samples.columns;
      result.pixels.insert(result.pixels.end(), row, row + rows * samples.columns);
    }
    return result;
  }
  static void write(const std::filesystem::path& folder, const std::string& name,
                    const Samples& samples) {
    const std::array<std::size_t, 3> shape{samples.size(), samples.rows, samples.columns};
    write_idx(folder / (name + "-images-idx3-ubyte"), shape, samples.pixels);
    write_idx(folder / (name + "-labels-idx1-ubyte"), std::span(shape).first(1), samples.labels);
  }
  TemporaryFolder folder_;
};
auto* const pictures = static_cast<Pictures*>(testing::AddGlobalTestEnvironment(new Pictures));

}  // namespace

RunConfig small_run(const std::string& device) {
  RunConfig config;
  config.data.data = pictures->whole();
  config.device = device;
  config.threads = 1;
  config.console.quiet = true;
  config.recipe.hidden = 16;
  config.recipe.batch_size = 64;
  config.recipe.epochs = 1;
  config.recipe.schedule.learning_rate = 0.01;
  return config;
}

RunConfig short_run(const std::string& device) {
  RunConfig config = small_run(device);
  config.data.data = pictures->low();
  config.recipe.hidden = 3;
  config.recipe.batch_size = 10;
  config.recipe.shards = 5;
  return config;
}

TrainingState advance(const TrainingState& from, std::uint64_t to, const RunConfig& config,
                      std::size_t ranks) {
  TrainingState result;
  run_on_threads(ranks, [&](Communicator& world) {
    Job job(config, world, from);
    for (std::uint64_t step = from.step + 1; step <= to; ++step) job.replica().step(step, {});
    if (world.rank() == world.size() - 1) result = job.replica().state();
  });
  return result;
}

void DeviceReplica::expect_same(RunConfig config, std::size_t ranks) {
  config.device = "auto";
  const Summary found = run(config, ranks);
  config.device = "cpu";
  config.engine.name = "reference";
  config.faults.clear();
  const Summary expected = run(config, 1);
  EXPECT_EQ(expected.engine, "reference");
  EXPECT_EQ(found.engine, "cuda");
  EXPECT_EQ(found.isa, "sm_90");
  EXPECT_EQ(found.steps, expected.steps);
  EXPECT_EQ(found.weights_sha256, expected.weights_sha256);
  EXPECT_EQ(found.test_loss, expected.test_loss);
  EXPECT_EQ(found.test_accuracy, expected.test_accuracy);
  EXPECT_EQ(found.validation_loss, expected.validation_loss);
  EXPECT_EQ(found.validation_accuracy, expected.validation_accuracy);
}

}  // namespace lockstep::replica_tests
