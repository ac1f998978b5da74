#include "parity_check.hpp"

#include <fmt/format.h>

#include "weight_difference.hpp"

namespace lockstep {

void ParityCheck::begin(std::size_t ranks) {
  ranks_ = ranks;
  if (first_ranks_ == 0) first_ranks_ = ranks;
}

void ParityCheck::add(std::size_t epoch, std::span<const float> parameters) {
  if (ranks_ == first_ranks_) {
    first_run_.emplace_back(parameters.begin(), parameters.end());
    return;
  }
  if (!difference_.empty()) return;
  if (const auto furthest = compare_weights(shape_, first_run_.at(epoch - 1), parameters)) {
    difference_ =
        fmt::format("{} ranks against {}: first after epoch {}, furthest in {}, by {} ULP", ranks_,
                    first_ranks_, epoch, furthest->tensor, furthest->ulp);
  }
}

}  // namespace lockstep
