#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <lockstep/data/batch.hpp>
#include <lockstep/data/dataset.hpp>
#include <lockstep/data/shards.hpp>

namespace lockstep {

/// One shard that this rank owns: its pictures in memory and its place in its stream.
class LocalShard {
 public:
  LocalShard(const ShardPlan& plan, std::size_t shard, Dataset& dataset);

  /// The samples that this shard gives to a step (from 1); valid until the next call.
  Batch batch(std::uint64_t step);

  std::span<const std::uint8_t> labels() const noexcept { return samples_.labels; }
  std::size_t share() const noexcept { return share_; }

 private:
  std::size_t first_;  // training picture that pixels begin with
  std::size_t share_;
  ShardStream stream_;
  Samples samples_;
  std::vector<const std::uint8_t*> pictures_;
  std::vector<std::uint8_t> labels_;
};

}  // namespace lockstep
