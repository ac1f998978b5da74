#include <lockstep/data/shards.hpp>

namespace lockstep {

ShardStream::ShardStream(const ShardPlan& plan, std::size_t shard) noexcept
    : pictures_(plan.pictures(shard)),
      random_(plan.seed, Stream::samples, static_cast<std::uint32_t>(shard)),
      order_(shuffle(pictures_.size(), random_, 0)) {}

std::size_t ShardStream::picture(std::uint64_t place) noexcept {
  const std::uint64_t pass = place / pictures_.size();
  if (pass != pass_) {
    pass_ = pass;
    order_ = shuffle(pictures_.size(), random_, pass);
  }
  return pictures_.begin + order_(place % pictures_.size());
}

}  // namespace lockstep
