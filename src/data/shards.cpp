#include <lockstep/data/shards.hpp>

namespace lockstep {

Range part(std::size_t n, std::size_t parts, std::size_t i) noexcept {
  // n i / parts without the overflow of n i: n = quotient * parts + rest.
  const std::size_t quotient = n / parts;
  const std::size_t rest = n % parts;
  const auto bound = [&](std::size_t k) { return quotient * k + rest * k / parts; };
  return {bound(i), bound(i + 1)};
}

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
