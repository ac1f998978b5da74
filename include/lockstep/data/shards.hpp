#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/core/permutation.hpp>
#include <lockstep/core/range.hpp>

namespace lockstep {

/// The training set cut into fixed shards, whatever the number of ranks: the sampling is a function
/// of this plan and the step alone. 1 <= shards <= batch_size and shards <= samples.
struct ShardPlan {
  std::size_t samples = 0;  // training pictures, below 2^32
  std::size_t shards = 16;
  std::size_t batch_size = 128;
  std::uint64_t seed = 1;

  /// The training pictures that belong to a shard.
  Range pictures(std::size_t shard) const noexcept { return part(samples, shards, shard); }
  /// How many samples a shard gives to every step.
  std::size_t share(std::size_t shard) const noexcept {
    return part(batch_size, shards, shard).size();
  }
  /// The shards of a rank: a contiguous block.
  Range owned(std::size_t rank, std::size_t world_size) const noexcept {
    return part(shards, world_size, rank);
  }
};

/// The stream of one shard: its pictures in a new random order in each pass, pass after pass, so
/// that every batch is full and no picture is ever dropped (TensorFlow's next_batch, for each
/// shard).
class ShardStream {
 public:
  ShardStream(const ShardPlan& plan, std::size_t shard) noexcept;

  /// The training pictures at the places of the stream from `place` on, counted from 0: step t
  /// (from 0) takes the places [t * share, (t + 1) * share). Cheap while the places ascend.
  void pictures(std::uint64_t place, std::span<std::uint32_t> out) noexcept;

  // What it is made of, for who computes it elsewhere: place n is picture
  // shuffle(size, random, n / size)(n % size) of the shard's.
  Range pictures() const noexcept { return pictures_; }
  const Random& random() const noexcept { return random_; }

 private:
  Range pictures_;
  Random random_;
  std::uint64_t pass_ = 0;
  Permutation order_;
};

}  // namespace lockstep
