#include <lockstep/comm/gpu_share.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace lockstep {

namespace {

constexpr std::size_t most_gpus = 16;          // of a host
constexpr std::size_t record = 1 + most_gpus;  // whether the rank may share one, then their ids

using Takers = std::map<std::int64_t, std::size_t>;  // how many ranks a GPU has, by its id

/// The place of the GPU that a rank takes, if one is left for it.
std::optional<std::size_t> choose(std::span<const std::int64_t> row, const Takers& takers) {
  const auto offered = row.subspan(1);
  const auto ranks_of = [&](std::int64_t id) {
    const auto found = takers.find(id);
    return found == takers.end() ? 0 : found->second;
  };
  const auto end = std::ranges::find(offered, 0);
  const auto best = std::min_element(offered.begin(), end, [&](std::int64_t a, std::int64_t b) {
    return ranks_of(a) < ranks_of(b);
  });
  if (best == end || (ranks_of(*best) > 0 && row[0] == 0)) return std::nullopt;
  return static_cast<std::size_t>(best - offered.begin());
}

}  // namespace

GpuShare share_gpus(Communicator& communicator, std::span<const std::uint64_t> offered,
                    bool may_share) {
  std::vector<std::int64_t> table(communicator.size() * record);
  const auto row = [&](std::size_t rank) {
    return std::span(table).subspan(rank * record, record);
  };
  const auto own = row(communicator.rank());
  own[0] = may_share;
  std::ranges::copy(offered.first(std::min(offered.size(), most_gpus)), own.begin() + 1);
  all_reduce_checked(communicator, table);
  GpuShare share;
  Takers takers;
  for (std::size_t rank = 0; rank < communicator.size(); ++rank) {
    const auto place = choose(row(rank), takers);
    if (rank == communicator.rank()) share.own = place;
    if (!place) continue;
    ++share.takers;
    if (++takers[row(rank)[1 + *place]] > 1) share.shared = true;
  }
  return share;
}

}  // namespace lockstep
