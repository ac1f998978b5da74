#include "local_shard.hpp"

namespace lockstep {

LocalShard::LocalShard(const ShardPlan& plan, std::size_t shard, Dataset& dataset)
    : first_(plan.pictures(shard).begin),
      share_(plan.share(shard)),
      stream_(plan, shard),
      samples_(dataset.training(first_, plan.pictures(shard).size())),
      pictures_(share_),
      labels_(share_) {}

Batch LocalShard::batch(std::uint64_t step) {
  for (std::size_t i = 0; i < share_; ++i) {
    const std::size_t picture = stream_.picture((step - 1) * share_ + i) - first_;
    pictures_[i] = samples_.picture(picture);
    labels_[i] = samples_.labels[picture];
  }
  return {samples_.rows, samples_.columns, pictures_, labels_};
}

}  // namespace lockstep
