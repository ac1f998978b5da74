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

  /// The samples that this shard gives to a step (from 1); valid until the next call.
  Batch batch(std::uint64_t step);

  std::size_t share() const noexcept { return share_; }
  const ShardStream& stream() const noexcept { return stream_; }

  /// All pictures of the shard, one after another, and their labels.
  std::span<const std::uint8_t> pixels() const noexcept;
  std::span<const std::uint8_t> labels() const noexcept;

 private:
  std::size_t share_;
  ShardStream stream_;
  std::shared_ptr<const TrainingPictures> from_;
  std::vector<const std::uint8_t*> pictures_;  // of the batch, and their labels
  std::vector<std::uint8_t> labels_;
};

}  // namespace lockstep
