#include <lockstep/comm/communicator.hpp>

#include <algorithm>
#include <stdexcept>

#include <lockstep/core/wrapping_sum.hpp>

namespace lockstep {

std::vector<std::size_t> Communicator::recover() {
  throw std::logic_error("this communicator can't go on without a rank");
}

void all_reduce_checked(Communicator& communicator, std::span<std::int64_t> values) {
  // Behind the values: how many ranks gave theirs, and the sum of all that. Sums of sums are sums.
  std::vector<std::int64_t> block(values.begin(), values.end());
  block.push_back(1);
  block.push_back(wrapping_sum(block));
  communicator.all_reduce(block);
  const auto content = std::span(block).first(block.size() - 1);
  if (content.back() != static_cast<std::int64_t>(communicator.size()) ||
      block.back() != wrapping_sum(content)) {
    throw RankLost(
        "an all-reduce gave a wrong sum; a rank or the network failed, start the run "
        "again");
  }
  std::ranges::copy(content.first(values.size()), values.begin());
}

}  // namespace lockstep
