#include "evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <lockstep/core/error.hpp>

namespace lockstep {
namespace {

/// Where one rank evaluates and the others wait, all meet after so many pictures: so it is seen
/// that it does not hang, on other hosts too.
constexpr std::size_t pictures_between_meetings = 1024;

Range own_part(std::size_t n, EvaluateOn where, const Communicator& communicator) {
  if (where == EvaluateOn::all) return part(n, communicator.size(), communicator.rank());
  return communicator.rank() == 0 ? Range{0, n} : Range{};
}

void expect_labels(const Dataset& dataset, const char* set, const Samples& samples,
                   std::size_t classes) {
  const auto is_none = [&](std::uint8_t label) { return label >= classes; };
  const auto found = std::ranges::find_if(samples.labels, is_none);
  if (found == samples.labels.end()) return;
  throw Error(
      ExitCode::data,
      fmt::format("{}: a {} image has the label {}, but rank 0's data have {} classes; give "
                  "all hosts the same files",
                  dataset.name(), set, *found, classes));
}

}  // namespace

Score reduce_score(Tally tally, std::size_t samples, Communicator& communicator,
                   const std::string& what) {
  std::array<std::int64_t, 4> sums{tally.loss, tally.correct, static_cast<std::int64_t>(samples),
                                   tally.invalid != 0};
  all_reduce_checked(communicator, sums);
  if (sums[3] != 0) {
    throw Error(ExitCode::non_finite, "the loss of " + what +
                                          " is not finite or above 16384; lower --learning-rate or "
                                          "set --clip-norm 1");
  }
  if (sums[2] == 0) return {};
  const auto count = static_cast<double>(sums[2]);
  return {loss_from_fixed(sums[0]) / count, static_cast<double>(sums[1]) / count};
}

void Evaluator::share_out(Dataset& dataset, EvaluateOn where, std::size_t classes) {
  validation_size_ = dataset.validation_size();
  test_size_ = dataset.test_size();
  const Range validation = own_part(validation_size_, where, communicator_);
  if (validation_.rows == 0 || validation != validation_range_) {
    validation_ = dataset.validation(validation.begin, validation.size());
    validation_range_ = validation;
    expect_labels(dataset, "validation", validation_, classes);
  }
  const Range test = own_part(test_size_, where, communicator_);
  if (test_.rows == 0 || test != test_range_) {
    test_ = dataset.test(test.begin, test.size());
    test_range_ = test;
    expect_labels(dataset, "test", test_, classes);
  }
}

Score Evaluator::validation(Replica& replica) const {
  return evaluate(validation_, validation_size_, replica, {}, "the validation set");
}

Score Evaluator::test(Replica& replica, std::vector<float>& probabilities,
                      std::size_t classes) const {
  probabilities.resize(test_.size() * classes);
  return evaluate(test_, test_size_, replica, probabilities, "the test set");
}

Score Evaluator::evaluate(const Samples& samples, std::size_t set_size, Replica& replica,
                          std::span<float> probabilities, const std::string& what) const {
  std::vector<const std::uint8_t*> pictures;
  for (std::size_t i = 0; i < samples.size(); ++i) pictures.push_back(samples.picture(i));
  const std::size_t rounds = std::max<std::size_t>(set_size / pictures_between_meetings, 1);
  const std::size_t classes = samples.size() == 0 ? 0 : probabilities.size() / samples.size();
  Tally total;
  for (std::size_t round = 0; round < rounds; ++round) {
    if (round > 0) communicator_.barrier();
    const Range now = part(samples.size(), rounds, round);
    const Batch batch{samples.rows, samples.columns,
                      std::span(pictures).subspan(now.begin, now.size()),
                      std::span(samples.labels).subspan(now.begin, now.size())};
    total +=
        replica.evaluate(batch, probabilities.subspan(now.begin * classes, now.size() * classes));
  }
  return reduce_score(total, samples.size(), communicator_, what);
}

}  // namespace lockstep
