#include <lockstep/comm/processor_share.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <lockstep/core/host_name.hpp>
#include <lockstep/core/processors.hpp>

namespace lockstep {
namespace {

constexpr std::size_t word_bits = 32;  // whole numbers in the sum, no sign to mind
constexpr std::size_t words = 1024 / word_bits;
constexpr std::size_t record = 1 + words;  // a host, then its processors that the rank may use

std::int64_t host_number() {
  return static_cast<std::int64_t>(std::hash<std::string>()(host_name()));
}

bool may_use(std::span<const std::int64_t> rank, std::size_t processor) {
  return rank[1 + processor / word_bits] >> (processor % word_bits) & 1;
}

}  // namespace

std::size_t processor_share(Communicator& communicator) {
  std::vector<std::int64_t> records(communicator.size() * record);
  const auto of = [&](std::size_t rank) {
    return std::span(records).subspan(rank * record, record);
  };
  const auto own = of(communicator.rank());
  const std::vector<int> processors = allowed_processors();
  own[0] = host_number();
  for (const int processor : processors) {
    const auto i = static_cast<std::size_t>(processor);
    own[1 + i / word_bits] |= std::int64_t{1} << (i % word_bits);
  }
  all_reduce_checked(communicator, records);
  double share = 0;
  double neighbours = 0;
  for (const int processor : processors) {
    double users = 0;
    for (std::size_t rank = 0; rank < communicator.size(); ++rank) {
      users += of(rank)[0] == own[0] && may_use(of(rank), static_cast<std::size_t>(processor));
    }
    share += 1 / users;
  }
  for (std::size_t rank = 0; rank < communicator.size(); ++rank) {
    neighbours += of(rank)[0] == own[0];
  }
  share = std::min(share, processor_quota() / neighbours);
  return std::max<std::size_t>(static_cast<std::size_t>(share + 1e-6), 1);
}

}  // namespace lockstep
