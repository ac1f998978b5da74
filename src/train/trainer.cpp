#include "trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/train/stop.hpp>

#include "state_fingerprint.hpp"

namespace lockstep {

std::uint64_t TrainingPlan::next_pause(std::uint64_t step) const noexcept {
  const auto multiple = [step](std::uint64_t n) { return (step + n - 1) / n * n; };
  const std::uint64_t epoch = multiple(steps_per_epoch);
  return checkpoint_every > 0 ? std::min(epoch, multiple(checkpoint_every)) : epoch;
}

Trainer::Trainer(const TrainingPlan& plan, const Schedule& schedule, Replica& replica,
                 const Evaluator& evaluator, DataAgreement& data, Communicator& communicator,
                 Observer& observer)
    : plan_(plan),
      schedule_(schedule),
      replica_(replica),
      evaluator_(evaluator),
      data_(data),
      communicator_(communicator),
      observer_(observer) {}

Progress Trainer::run(const Progress& from) {
  progress_ = from;
  pending_ = from.last;
  begin_ = seconds_now() - from.seconds;
  if (pending_.step > 0) end_step();
  while (progress_.steps < plan_.total_steps() && !progress_.stopped) {
    take_step();
    end_step();
  }
  agree(communicator_, [&] {
    if (failure_) std::rethrow_exception(failure_);
  });
  return progress_;
}

Progress Trainer::interrupted() {
  if (pending_.step > 0) publish({});
  progress_.seconds = seconds_now() - begin_;
  return progress_;
}

bool Trainer::checkpoint_is_due() const noexcept {
  const std::uint64_t every = plan_.checkpoint_every;
  return epoch_ends() || progress_.stopped || (every > 0 && progress_.steps % every == 0);
}

void Trainer::take_step() {
  const double begin = seconds_now();
  const std::uint64_t step = progress_.steps + 1;
  const StepOutcome outcome = step_replica(step);
  progress_.steps = step;
  end_on_failure(outcome.failure);
  observe(outcome, outcome.seconds > 0 ? outcome.seconds : seconds_now() - begin);
  progress_.stopped = outcome.stop && progress_.steps < plan_.total_steps();
}

/// Where a value is not finite, the ranks' states tell a training that diverges from a machine that
/// computes wrongly.
StepOutcome Trainer::step_replica(std::uint64_t step) {
  try {
    return replica_.step(
        step,
        {.stop = stop_requested(), .failure = failure_code_, .until = plan_.next_pause(step)});
  } catch (const Error& error) {
    if (error.code() == ExitCode::non_finite) meet(replica_.state());
    throw;
  }
}

/// What comes after a step, here and there. Done once more, it changes nothing.
void Trainer::end_step() {
  progress_.seconds = seconds_now() - begin_;
  if (!checkpoint_is_due()) return;
  const TrainingState state = replica_.state();
  publish(meet(state));
  if (epoch_ends()) end_epoch();
  progress_.seconds = seconds_now() - begin_;
  data_.agree_on_content();
  guard([&] { observer_.checkpoint(progress_, state); });
}

void Trainer::end_on_failure(int exit_code) const {
  if (exit_code == 0) return;
  if (failure_) std::rethrow_exception(failure_);
  throw Error(static_cast<ExitCode>(exit_code), "");
}

/// The article's figures: the epoch's last batch after its update, and the validation set.
void Trainer::end_epoch() {
  EpochRecord record;
  record.epoch = progress_.steps / plan_.steps_per_epoch;
  record.step = progress_.steps;
  const Score train = reduce_score(replica_.tally(progress_.steps),
                                   communicator_.rank() == 0 ? plan_.batch_size : 0, communicator_,
                                   "the last batch");
  progress_.validation = evaluator_.validation(replica_);
  record.train_loss = train.loss;
  record.train_accuracy = train.accuracy;
  record.validation_loss = progress_.validation.loss;
  record.validation_accuracy = progress_.validation.accuracy;
  record.seconds = seconds_now() - begin_;
  guard([&] { observer_.epoch(record, replica_.parameters()); });
}

void Trainer::observe(const StepOutcome& outcome, double seconds) {
  if (pending_.step > 0) publish(outcome.reports);
  const auto samples = static_cast<double>(plan_.batch_size);
  pending_.step = progress_.steps;
  pending_.epoch =
      static_cast<double>(progress_.steps) / static_cast<double>(plan_.steps_per_epoch);
  pending_.loss = loss_from_fixed(outcome.tally.loss) / samples;
  pending_.accuracy = static_cast<double>(outcome.tally.correct) / samples;
  pending_.rate = schedule_.rate(progress_.steps);
  pending_.seconds = seconds;
  progress_.last = pending_;
}

/// Completes the pending record with the ranks' times: the rank that came last waited least, and
/// what it spent in the all-reduce is taken for the reduction itself.
void Trainer::publish(const std::vector<RankReport>& reports) {
  double reduce = std::numeric_limits<double>::max();
  for (const RankReport& report : reports) reduce = std::min(reduce, report.reduce_seconds);
  pending_.ranks.clear();
  for (const RankReport& report : reports) {
    pending_.ranks.push_back({report.compute_seconds, report.reduce_seconds - reduce, reduce});
  }
  guard([&] { observer_.step(pending_); });
  pending_.step = 0;
}

void Trainer::guard(const std::function<void()>& report) {
  if (failure_) return;
  try {
    report();
  } catch (const Error& error) {
    failure_ = std::current_exception();
    failure_code_ = static_cast<int>(error.code());
  }
}

/// Compares the ranks' states, and returns the reports that would come with the next step. A sum
/// tells only of weights that were wrong before it: here nothing wrong passes into a checkpoint or
/// the end.
std::vector<RankReport> Trainer::meet(const TrainingState& state) {
  const std::size_t ranks = communicator_.size();
  std::vector<std::int64_t> numbers(3 * ranks);
  const auto of = [&](std::size_t rank) { return std::span(numbers).subspan(3 * rank, 3); };
  const ReportNumbers own = to_numbers(replica_.last_step());
  std::ranges::copy(
      std::array{own.compute, own.reduce, static_cast<std::int64_t>(fingerprint(state))},
      of(communicator_.rank()).begin());
  all_reduce_checked(communicator_, numbers);
  std::vector<RankReport> reports;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    if (of(rank)[2] != of(0)[2]) {
      throw RankLost(
          fmt::format("the ranks' weights or moments differ after step {}; a machine "
                      "computes wrongly, start the run again without it",
                      progress_.steps));
    }
    reports.push_back(from_numbers({0, 0, of(rank)[0], of(rank)[1]}));
  }
  return reports;
}

}  // namespace lockstep
