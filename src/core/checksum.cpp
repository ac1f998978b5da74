#include <lockstep/core/checksum.hpp>

#include <lockstep/core/clones.hpp>

namespace lockstep {
namespace {

// Values that are far apart are summed side by side, as vectors: lane l takes the values l,
// lanes + l, 2 lanes + l and so on.
constexpr std::size_t lanes = 16;

struct Lanes {
  std::uint64_t sum[lanes] = {};
  std::uint64_t order[lanes] = {};
};

LOCKSTEP_CLONES
void add(const std::int64_t* values, std::size_t rounds, Lanes& to) {
  Lanes own;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      own.sum[lane] += static_cast<std::uint64_t>(values[round * lanes + lane]);
      own.order[lane] += own.sum[lane];
    }
  }
  to = own;
}

}  // namespace

/// A value's weight in `order` is the number of values from it to the end. In its lane's order it
/// is the number of rounds to the end, which is `lanes` times less, and one less for each lane
/// before.
Checksum checksum(std::span<const std::int64_t> values) noexcept {
  const std::size_t rounds = values.size() / lanes;
  Lanes found;
  add(values.data(), rounds, found);
  Checksum total;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    total.sum += found.sum[lane];
    total.order += lanes * found.order[lane] - lane * found.sum[lane];
  }
  for (const std::int64_t value : values.subspan(rounds * lanes)) {
    total.sum += static_cast<std::uint64_t>(value);
    total.order += total.sum;
  }
  return total;
}

}  // namespace lockstep
