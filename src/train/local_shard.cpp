#include "local_shard.hpp"

namespace lockstep {

LocalShard::LocalShard(const ShardPlan& plan, std::size_t shard,
                       std::shared_ptr<const TrainingPictures> pictures)
    : share_(plan.share(shard)),
      stream_(plan, shard),
      from_(std::move(pictures)),
      numbers_(share_),
      pictures_(share_),
      labels_(share_) {}

void LocalShard::choose(std::uint64_t step) {
  if (step == chosen_) return;
  chosen_ = step;
  const Samples& samples = from_->samples;
  stream_.pictures((step - 1) * share_, numbers_);
  for (std::size_t i = 0; i < share_; ++i) {
    const std::size_t picture = numbers_[i] - from_->first;
    pictures_[i] = samples.picture(picture);
    labels_[i] = samples.labels[picture];
  }
}

Batch LocalShard::batch(std::uint64_t step) {
  choose(step);
  return {from_->samples.rows, from_->samples.columns, pictures_, labels_};
}

void LocalShard::prefetch(std::uint64_t step) {
  constexpr std::size_t line = 64;
  choose(step);
  const std::size_t bytes = from_->samples.rows * from_->samples.columns;
  for (const std::uint8_t* picture : pictures_) {
    for (std::size_t i = 0; i < bytes; i += line) __builtin_prefetch(picture + i);
  }
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
