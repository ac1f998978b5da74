#include "local_shard.hpp"

namespace lockstep {

LocalShard::LocalShard(const ShardPlan& plan, std::size_t shard,
                       std::shared_ptr<const TrainingPictures> pictures)
    : share_(plan.share(shard)),
      stream_(plan, shard),
      from_(std::move(pictures)),
      pictures_(share_),
      labels_(share_) {}

Batch LocalShard::batch(std::uint64_t step) {
  const Samples& samples = from_->samples;
  for (std::size_t i = 0; i < share_; ++i) {
    const std::size_t picture = stream_.picture((step - 1) * share_ + i) - from_->first;
    pictures_[i] = samples.picture(picture);
    labels_[i] = samples.labels[picture];
  }
  return {samples.rows, samples.columns, pictures_, labels_};
}

std::span<const std::uint8_t> LocalShard::pixels() const noexcept {
  const Samples& samples = from_->samples;
  const std::size_t size = samples.rows * samples.columns;
  const Range own = stream_.pictures();
  return std::span(samples.pixels).subspan((own.begin - from_->first) * size, own.size() * size);
}

std::span<const std::uint8_t> LocalShard::labels() const noexcept {
  const Range own = stream_.pictures();
  return std::span(from_->samples.labels).subspan(own.begin - from_->first, own.size());
}

}  // namespace lockstep
