#pragma once

#include <cstdint>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/data/dataset.hpp>
#include <lockstep/data/shards.hpp>
#include <lockstep/train/run.hpp>

#include "replica.hpp"

namespace lockstep {

/// Mean cross entropy and share of right answers.
struct Score {
  double loss = 0;
  double accuracy = 0;
};

/// Sums `tally` over `samples` pictures over the ranks, and divides. Exact, so it is the same
/// whichever rank saw which picture. Collective. Throws Error (non_finite) naming `what`.
Score reduce_score(Tally tally, std::size_t samples, Communicator& communicator,
                   const std::string& what);

/// This rank's part of the validation and the test set, kept in memory: all of both on rank 0 and
/// nothing elsewhere, or an equal share on every rank.
class Evaluator {
 public:
  explicit Evaluator(Communicator& communicator) : communicator_(communicator) {}

  /// Loads this rank's part, unless it has it. To be called again when the group has changed.
  /// Throws Error (data) for a label that is none of the model's `classes`: this rank's files need
  /// not be those of the others.
  void share_out(Dataset& dataset, EvaluateOn where, std::size_t classes);

  Score validation(Replica& replica) const;
  /// Fills `probabilities` with those of this rank's part of the test set.
  Score test(Replica& replica, std::vector<float>& probabilities, std::size_t classes) const;

  const Samples& test_part() const noexcept { return test_; }
  std::size_t test_first() const noexcept { return test_range_.begin; }

 private:
  /// `samples` are this rank's of `set_size`.
  Score evaluate(const Samples& samples, std::size_t set_size, Replica& replica,
                 std::span<float> probabilities, const std::string& what) const;

  Communicator& communicator_;
  std::size_t validation_size_ = 0;  // of the whole set
  std::size_t test_size_ = 0;
  Range validation_range_;
  Range test_range_;
  Samples validation_;
  Samples test_;
};

}  // namespace lockstep
