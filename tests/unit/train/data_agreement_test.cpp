// Ranks whose hosts have other data, as threads of this process.
#include "data_agreement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>

#include <lockstep/core/error.hpp>
#include <lockstep/data/folder.hpp>
#include <lockstep/train/run.hpp>

#include "../temporary_folder.hpp"
#include "made_digits.hpp"
#include "mortal.hpp"

namespace lockstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Has sizes, but no images.
struct FakeDataset final : Dataset {
  std::string files = "the same";
  bool made = false;
  std::size_t height = 28, width = 28, train = 1100, validate = 100, tests = 200, labels = 10;
  DataHashes hashes{"train", {"images", "labels", "test images", "test labels"}};
  std::string failure;
  std::atomic<int>* hashed = nullptr;

  std::string name() const override { return "/data"; }
  bool synthetic() const noexcept override { return made; }
  std::size_t rows() const noexcept override { return height; }
  std::size_t columns() const noexcept override { return width; }
  std::size_t training_size() const noexcept override { return train; }
  std::size_t validation_size() const noexcept override { return validate; }
  std::size_t test_size() const noexcept override { return tests; }
  std::size_t classes() override { return labels; }
  Samples training(std::size_t, std::size_t) override { return {}; }
  Samples validation(std::size_t, std::size_t) override { return {}; }
  Samples test(std::size_t, std::size_t) override { return {}; }
  std::string identity() const override { return files; }
  std::uint64_t bytes_read() const noexcept override { return 0; }
  std::function<DataHashes()> hasher() const override {
    return [own = hashes, line = failure, counter = hashed] {
      if (counter != nullptr) ++*counter;
      if (!line.empty()) throw Error(ExitCode::data, line);
      return own;
    };
  }
};

using Change = std::function<void(FakeDataset&, std::size_t rank)>;

struct Outcome {
  std::size_t data_errors = 0;  // ranks that ended with one
  std::string line;
  std::vector<int> hashed;  // how often, by rank
};

/// Ranks on these hosts go through the whole agreement, with data that `change` has changed.
Outcome agree_on(const std::vector<std::string>& hosts, const Change& change,
                 bool for_checkpoints = false) {
  Outcome outcome;
  std::mutex mutex;
  std::vector<std::atomic<int>> hashed(hosts.size());
  run_on_threads(hosts.size(), [&](Communicator& world) {
    const std::size_t rank = world.rank();
    FakeDataset data;
    data.hashed = &hashed[rank];
    change(data, rank);
    try {
      DataAgreement agreement(data, world, hosts[rank]);
      EXPECT_EQ(agreement.agree_on_sizes(), data.labels);
      agreement.begin_hashing(for_checkpoints && rank == 0);
      agreement.agree_on_content();
      if (rank == 0) agreement.agree_on_content();  // waits for nobody
    } catch (const Error& error) {
      const std::lock_guard lock(mutex);
      if (error.code() == ExitCode::data) ++outcome.data_errors;
      outcome.line += error.what();
    }
  });
  outcome.hashed.assign(hashed.begin(), hashed.end());
  return outcome;
}

const Change none = [](FakeDataset&, std::size_t) {};

TEST(DataAgreement, the_lowest_rank_of_a_host_hashes_for_those_that_read_the_same_files) {
  const Outcome found = agree_on({"node1", "node2", "node1", "node2", "node3"}, none);
  EXPECT_EQ(found.line, "");
  EXPECT_EQ(found.hashed, (std::vector{1, 1, 0, 0, 1}));
}

TEST(DataAgreement, ranks_of_one_host_that_read_other_files_hash_these) {
  const auto found = agree_on({"a", "a", "a"}, [](FakeDataset& data, std::size_t rank) {
    data.files += rank < 1 ? "" : "!";
  });
  EXPECT_EQ(found.line, "");
  EXPECT_EQ(found.hashed, (std::vector{1, 1, 0}));
}

TEST(DataAgreement, where_all_read_the_same_files_they_are_hashed_for_checkpoints_only) {
  EXPECT_EQ(agree_on({"a", "a"}, none).hashed, (std::vector{0, 0}));
  EXPECT_EQ(agree_on({"a", "a"}, none, true).hashed, (std::vector{1, 0}));
}

/// The data of ranks 1 and 2, on node2, are changed.
Outcome with_another_node2(const std::function<void(FakeDataset&)>& change) {
  return agree_on({"node1", "node2", "node2"}, [&](FakeDataset& data, std::size_t rank) {
    if (rank > 0) change(data);
  });
}

TEST(DataAgreement, a_difference_of_sizes_ends_all_ranks_with_one_line) {
  const std::map<std::string, std::function<void(FakeDataset&)>> changes{
      {"made digits instead of files", [](auto& d) { d.made = true; }},
      {"images of 28 x 14 instead of 28 x 28", [](auto& d) { d.width = 14; }},
      {"1200 training images instead of 1100", [](auto& d) { d.train = 1200; }},
      {"99 validation images instead of 100", [](auto& d) { d.validate = 99; }},
      {"300 test images instead of 200", [](auto& d) { d.tests = 300; }},
      {"9 classes instead of 10", [](auto& d) { d.labels = 9; }}};
  for (const auto& [difference, change] : changes) {
    const Outcome found = with_another_node2(change);
    EXPECT_EQ(found.data_errors, 3u);
    EXPECT_EQ(found.line, "the data differ from those of rank 0 (node1): ranks 1, 2 (node2) have " +
                              difference + "; give all ranks the same files (rank 1 reads /data)");
    EXPECT_EQ(found.hashed, (std::vector{0, 0, 0}));
  }
}

TEST(DataAgreement, other_content_ends_all_ranks_with_one_line_that_names_the_files) {
  const Outcome found = agree_on({"n1", "n2", "n3"}, [](FakeDataset& data, std::size_t rank) {
    if (rank == 1) data.hashes.files[0] = "other";
    if (rank == 2) data.hashes.files[1] = data.hashes.files[3] = "other";
  });
  EXPECT_EQ(found.data_errors, 3u);
  EXPECT_EQ(found.line,
            "the data differ from those of rank 0 (n1): rank 1 (n2) has other content in "
            "train-images, rank 2 (n3) has other content in train-labels and t10k-labels; give all "
            "ranks the same files (rank 1 reads /data)");
}

TEST(DataAgreement, a_long_list_of_ranks_is_cut) {
  const std::vector<std::string> hosts(40, "n");
  const Outcome one = agree_on(hosts, [](FakeDataset& data, std::size_t rank) {
    if (rank > 0) data.tests = 1, data.files = "copy";
  });
  EXPECT_THAT(one.line, HasSubstr("ranks 1, 2, 3, 4, 5, 6, 7, 8, ... (n) have 1 test images"));
  const Outcome many = agree_on(hosts, [](FakeDataset& data, std::size_t rank) {
    if (rank > 0) data.tests = 1, data.files = std::to_string(rank);
  });
  EXPECT_THAT(many.line, AllOf(HasSubstr("rank 8 (n) has"), HasSubstr(", and so on for 31 more"),
                               Not(HasSubstr("rank 9 "))));
}

TEST(DataAgreement, files_that_can_not_be_hashed_end_all_ranks) {
  const Outcome found = agree_on({"n1", "n2", "n3"}, [](FakeDataset& data, std::size_t rank) {
    if (rank == 2) data.failure = "gone";
  });
  EXPECT_EQ(found.data_errors, 3u);
  EXPECT_EQ(found.line, "gone");
}

/// What the ranks on `hosts` that are left say when the last has died, before or after the content
/// was compared.
void lose_the_last(const std::vector<std::string>& hosts, bool compared, bool doubtful) {
  run_on_threads(hosts.size(), [&](Communicator& world) {
    FakeDataset data;
    DataAgreement agreement(data, world, hosts[world.rank()]);
    agreement.agree_on_sizes();
    agreement.begin_hashing(world.rank() == 0);
    if (compared) agreement.agree_on_content();
    if (world.rank() + 1 == hosts.size()) throw RankDeath();
    EXPECT_THROW(world.barrier(), RankLost);
    world.recover();
    agreement.agree_on_sizes();
    EXPECT_EQ(agreement.past_is_doubtful(), doubtful);
    agreement.agree_on_sizes();
    EXPECT_EQ(agreement.past_is_doubtful(), doubtful);  // as long as it was not given up
    agreement.forget_past();
    agreement.agree_on_sizes();
    EXPECT_FALSE(agreement.past_is_doubtful());
    agreement.agree_on_content();
  });
}

TEST(DataAgreement, the_past_is_doubtful_where_files_were_lost_before_they_were_compared) {
  lose_the_last({"a", "a", "b"}, false, true);
  lose_the_last({"a", "a", "b"}, true, false);
  lose_the_last({"a", "b", "b"}, false, false);
}

TEST(DataAgreement, a_new_rank_0_knows_the_hash_of_the_training_files) {
  for (const bool compared : {false, true}) {
    run_on_threads(3, [&](Communicator& world) {
      std::atomic<int> hashed = 0;
      FakeDataset data;
      data.hashed = &hashed;
      DataAgreement agreement(data, world, "host");
      agreement.agree_on_sizes();
      agreement.begin_hashing(world.rank() == 0);
      if (compared) agreement.agree_on_content();
      if (world.rank() == 0) throw RankDeath();
      EXPECT_THROW(world.barrier(), RankLost);
      world.recover();
      agreement.agree_on_sizes();
      agreement.begin_hashing(world.rank() == 0);
      agreement.agree_on_content();
      if (world.rank() > 0) return;
      EXPECT_EQ(agreement.training_sha256(), "train");
      EXPECT_EQ(hashed, compared ? 0 : 1);
    });
  }
}

/// Whole runs of which rank N reads the directory N, a copy of the others at first.
class RunOnCopies : public testing::Test {
 protected:
  RunOnCopies() {
    ::setenv("PATH", "/nonexistent", 1);  // no pictures: they take longer than the rest
    const auto made = open_dataset({"synthetic"});
    train_ = made->training(0, 600);
    test_ = made->test(0, 100);
    for (std::size_t rank = 0; rank < 3; ++rank) write_dataset(directory(rank), train_, test_);
    config_ = made_digits();
    config_.recipe.hidden = 4;
    config_.recipe.batch_size = 50;  // 11 steps an epoch
    config_.recipe.epochs = 2;
    config_.out = folder_.path() / "run";
  }

  std::filesystem::path directory(std::size_t rank) const {
    return folder_.path() / std::to_string(rank);
  }

  /// A pixel of each, so that whatever the rank trains on is other.
  void change_training_images(std::size_t rank) const {
    Samples other = train_;
    const std::size_t size = other.rows * other.columns;
    for (std::size_t i = size / 2; i < other.pixels.size(); i += size) other.pixels[i] ^= 255U;
    write_dataset(directory(rank), other, test_);
  }

  /// `mortal` dies at its call number `last`. How many calls rank 0 made.
  std::size_t run(std::size_t ranks, std::size_t mortal = 0, std::size_t last = ~std::size_t{0}) {
    hashes_.clear();
    std::filesystem::remove_all(config_.out);
    std::mutex mutex;
    std::size_t calls = 0;
    testing::internal::CaptureStdout();
    const auto get = [&](Communicator& world) {
      RunConfig config = config_;
      config.data.data = directory(world.rank()).string();
      Mortal own(world, world.rank() == mortal ? last : ~std::size_t{0});
      const Summary summary = run_training(config, own);
      const std::lock_guard lock(mutex);
      hashes_.insert(summary.weights_sha256);
      calls = own.calls();
    };
    try {
      run_on_threads(ranks, get);
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    testing::internal::GetCapturedStdout();
    return calls;
  }

  std::string error_of(std::size_t ranks) {
    try {
      run(ranks);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
  }

  TemporaryFolder folder_;
  RunConfig config_;
  Samples train_;
  Samples test_;
  std::set<std::string> hashes_;  // of the weights
};

TEST_F(RunOnCopies, copies_of_the_same_content_give_the_same_weights) {
  run(1);
  const auto expected = hashes_;
  run(3);
  EXPECT_EQ(hashes_, expected);
}

TEST_F(RunOnCopies, other_images_are_found_before_a_checkpoint_or_model_is_written) {
  change_training_images(1);
  config_.checkpoints.every = 3;
  EXPECT_THAT(error_of(2), AllOf(HasSubstr("rank 1 ("), HasSubstr("train-images;")));
  EXPECT_FALSE(std::filesystem::exists(config_.out / "model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(config_.out / "summary.json"));
  std::error_code ignored;
  EXPECT_EQ(std::filesystem::directory_iterator(config_.out / "checkpoints", ignored),
            std::filesystem::directory_iterator());
}

TEST_F(RunOnCopies, other_images_are_found_without_a_run_directory_and_when_resumed) {
  config_.recipe.epochs = 1;
  run(2);
  change_training_images(1);
  const auto run_directory = config_.out;
  config_.out.clear();
  EXPECT_THAT(error_of(2), HasSubstr("train-images;"));
  config_.resume = (run_directory / "checkpoints/step-00000011.safetensors").string();
  EXPECT_THAT(error_of(2), HasSubstr("train-images;"));  // no step is left, and no checkpoint
}

TEST_F(RunOnCopies, other_numbers_of_images_are_found_at_the_start) {
  const auto made = open_dataset({"synthetic"});
  write_dataset(directory(2), made->training(0, 360), test_);
  EXPECT_THAT(error_of(3), HasSubstr("has 330 training images instead of 550"));
  EXPECT_FALSE(std::filesystem::exists(config_.out));
}

TEST_F(RunOnCopies, a_death_at_any_moment_changes_no_bit) {
  const std::size_t calls = run(3);
  const auto expected = hashes_;
  for (std::size_t call = 0; call < calls; call += 3) {
    run(3, call % 3, call);
    EXPECT_EQ(hashes_, expected) << call;
  }
}

TEST_F(RunOnCopies, what_a_rank_with_other_data_trained_before_it_died_does_not_count) {
  const std::size_t calls = run(3);
  const auto expected = hashes_;
  for (const std::size_t rank : {2, 0}) {
    for (std::size_t other = 0; other < 3; ++other) write_dataset(directory(other), train_, test_);
    change_training_images(rank);
    std::size_t finished = 0;
    for (std::size_t call = 5; call < calls; call += 3) {
      try {
        run(3, rank, call);
        EXPECT_EQ(hashes_, expected) << rank << ' ' << call;
        ++finished;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::data) << rank << ' ' << call;  // it lived long enough
      }
    }
    EXPECT_GE(finished, 5u);
  }
}

}  // namespace
}  // namespace lockstep
