#include <lockstep/comm/communicator.hpp>

#include <algorithm>
#include <stdexcept>

#include <lockstep/core/checksum.hpp>

namespace lockstep {

std::vector<std::size_t> Communicator::recover() {
  throw std::logic_error("this communicator can't go on without a rank");
}

void all_reduce_checked(Communicator& communicator, std::span<std::int64_t> values) {
  // Behind the values: how many ranks gave theirs, and the checksum of all that.
  std::vector<std::int64_t> block(values.begin(), values.end());
  block.push_back(1);
  const Checksum own = checksum(block);
  block.push_back(static_cast<std::int64_t>(own.sum));
  block.push_back(static_cast<std::int64_t>(own.order));
  communicator.all_reduce(block);
  const auto content = std::span(block).first(block.size() - 2);
  const Checksum sealed{static_cast<std::uint64_t>(block[content.size()]),
                        static_cast<std::uint64_t>(block.back())};
  if (content.back() != static_cast<std::int64_t>(communicator.size()) ||
      sealed != checksum(content)) {
    throw RankLost(
        "an all-reduce gave a wrong sum; a rank or the network failed, start the run "
        "again");
  }
  std::ranges::copy(content.first(values.size()), values.begin());
}

}  // namespace lockstep
