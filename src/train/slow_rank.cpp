#include "slow_rank.hpp"

#include <algorithm>
#include <utility>

namespace lockstep {

std::optional<SlowRankAlarm::Verdict> SlowRankAlarm::add(const StepRecord& step) {
  if (step.ranks.size() < 2) {
    in_row_ = 0;
    return {};
  }
  // The rank that came last waited for nobody; the others at least as long as the least of them.
  const auto last = std::ranges::min_element(step.ranks, {}, &RankSeconds::wait);
  double seconds = step.seconds;  // with what rank 0 did between two steps, if others waited for it
  for (const RankSeconds& rank : step.ranks) {
    seconds = std::max(seconds, rank.compute + rank.wait + rank.reduce);
  }
  double waited = seconds;
  for (const RankSeconds& rank : step.ranks) {
    if (&rank != &*last) waited = std::min(waited, rank.wait);
  }
  const auto rank = static_cast<std::size_t>(last - step.ranks.begin());
  if (waited <= share * seconds) {
    in_row_ = 0;
    return {};
  }
  if (rank != rank_ || in_row_ == 0) {
    rank_ = rank;
    in_row_ = 0;
    waited_ = seconds_ = 0;
  }
  waited_ += waited;
  seconds_ += seconds;
  if (++in_row_ < steps || std::exchange(told_, true)) return {};
  return Verdict{rank, waited_ / seconds_};
}

}  // namespace lockstep
