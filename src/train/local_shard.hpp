#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <lockstep/data/batch.hpp>
#include <lockstep/data/dataset.hpp>
#include <lockstep/data/shards.hpp>

namespace lockstep {

/// A rank's shards lie side by side in the training set, so their pictures are read in one go.
struct TrainingPictures {
  std::size_t first = 0;  // training picture that the samples begin with
  Samples samples;
};

/// One shard that this rank owns: its part of the rank's pictures and its stream.
class LocalShard {
 public:
  LocalShard(const ShardPlan& plan, std::size_t shard,
             std::shared_ptr<const TrainingPictures> pictures);

  /// The samples that this shard gives to a step (from 1); valid until the next call of either.
  Batch batch(std::uint64_t step);

  /// Has the processor fetch the pictures that batch(step) is going to give.
  void prefetch(std::uint64_t step);

  std::size_t share() const noexcept { return share_; }
  const ShardStream& stream() const noexcept { return stream_; }

  /// All pictures of the shard, one after another, and their labels.
  std::span<const std::uint8_t> pixels() const noexcept;
  std::span<const std::uint8_t> labels() const noexcept;

 private:
  void choose(std::uint64_t step);

  std::size_t share_;
  ShardStream stream_;
  std::shared_ptr<const TrainingPictures> from_;
  std::uint64_t chosen_ = 0;  // the step whose pictures these are
  std::vector<std::uint32_t> numbers_;
  std::vector<const std::uint8_t*> pictures_;
  std::vector<std::uint8_t> labels_;
};

/// Calls take(batch) with each shard's part of a step in turn, while the pictures of the next one,
/// at the end of the next step's first, are on their way to the cache.
template <typename Take>
void take_batches(std::span<LocalShard> shards, std::uint64_t step, const Take& take) {
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const Batch batch = shards[i].batch(step);
    if (i + 1 < shards.size()) {
      shards[i + 1].prefetch(step);
    } else if (i > 0) {
      shards[0].prefetch(step + 1);
    }
    take(batch);
  }
}

}  // namespace lockstep
