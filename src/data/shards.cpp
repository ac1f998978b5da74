#include <lockstep/data/shards.hpp>

#include <algorithm>

#include <lockstep/core/clones.hpp>

namespace lockstep {
namespace {

/// Where `n` positions from `first` on lead, in range or not; several at a time.
LOCKSTEP_CLONES
void permute(const Permutation& order, std::uint32_t first, std::size_t n, std::uint32_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = order.cross(first + static_cast<std::uint32_t>(i));
}

}  // namespace

ShardStream::ShardStream(const ShardPlan& plan, std::size_t shard) noexcept
    : pictures_(plan.pictures(shard)),
      random_(plan.seed, Stream::samples, static_cast<std::uint32_t>(shard)),
      order_(shuffle(pictures_.size(), random_, 0)) {}

void ShardStream::pictures(std::uint64_t place, std::span<std::uint32_t> out) noexcept {
  while (!out.empty()) {
    const std::uint64_t pass = place / pictures_.size();
    if (pass != pass_) {
      pass_ = pass;
      order_ = shuffle(pictures_.size(), random_, pass);
    }
    const std::uint64_t first = place % pictures_.size();
    const std::size_t n = std::min<std::size_t>(out.size(), pictures_.size() - first);
    permute(order_, static_cast<std::uint32_t>(first), n, out.data());
    for (std::uint32_t& picture : out.first(n)) {
      if (picture >= pictures_.size()) picture = static_cast<std::uint32_t>(order_(picture));
      picture += static_cast<std::uint32_t>(pictures_.begin);
    }
    place += n;
    out = out.subspan(n);
  }
}

}  // namespace lockstep
