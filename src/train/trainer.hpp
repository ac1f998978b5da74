#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/optim/schedule.hpp>
#include <lockstep/report/records.hpp>

#include "data_agreement.hpp"
#include "evaluator.hpp"
#include "replica.hpp"

namespace lockstep {

struct TrainingPlan {
  std::size_t epochs = 0;
  std::uint64_t steps_per_epoch = 0;
  std::size_t batch_size = 0;
  std::uint64_t checkpoint_every = 0;  // steps; 0: only at epochs' ends

  std::uint64_t total_steps() const noexcept { return epochs * steps_per_epoch; }

  /// The first step from `step` on after which there is an evaluation or a checkpoint.
  std::uint64_t next_pause(std::uint64_t step) const noexcept;
};

struct Progress {
  std::uint64_t steps = 0;   // taken
  bool stopped = false;      // on request, before the last
  Score validation;          // at the end of the last whole epoch
  double seconds = 0;        // of training, those before a resumption included
  std::size_t restarts = 0;  // how often it was resumed
  StepRecord last;  // the last step's, without the ranks' times; step 0: none was taken here
};

/// What a rank does with the figures as they come; rank 0's prints and writes them. If it throws
/// Error, all ranks end after the next step with that error's exit code.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step(const StepRecord&) {}
  virtual void epoch(const EpochRecord&, std::span<const float> /*parameters*/) {}
  /// Wherever a checkpoint is due; the records before it have come. All ranks have this
  /// state, and the same data.
  virtual void checkpoint(const Progress&, const TrainingState&) {}
};

/// Takes a replica through the epochs.
class Trainer {
 public:
  Trainer(const TrainingPlan& plan, const Schedule& schedule, Replica& replica,
          const Evaluator& evaluator, DataAgreement& data, Communicator& communicator,
          Observer& observer);

  /// From where the replica stands (`from`, of the same step: nothing yet, or what it had come to)
  /// to the last step, or to the one after which a rank was asked to stop. Begins with what comes
  /// after from.last: the observer may get a record a second time. Collective. Throws what
  /// Replica::step throws, RankLost where the ranks' states differ at a checkpoint, and Error where
  /// an observer failed.
  Progress run(const Progress& from = {});

  /// What it has come to, after run() has thrown RankLost; reports the last step, which was to wait
  /// for the ranks' times.
  Progress interrupted();

 private:
  bool epoch_ends() const noexcept { return progress_.steps % plan_.steps_per_epoch == 0; }
  bool checkpoint_is_due() const noexcept;
  void take_step();
  StepOutcome step_replica(std::uint64_t step);
  void end_step();
  void end_epoch();
  void end_on_failure(int exit_code) const;
  void observe(const StepOutcome& outcome, double seconds);
  void publish(const std::vector<RankReport>& reports);
  void guard(const std::function<void()>& report);
  std::vector<RankReport> meet(const TrainingState& state);

  TrainingPlan plan_;
  Schedule schedule_;
  Replica& replica_;
  const Evaluator& evaluator_;
  DataAgreement& data_;
  Communicator& communicator_;
  Observer& observer_;
  Progress progress_;
  double begin_ = 0;
  StepRecord pending_;  // of the last step, or of step 0 if it is published; the ranks' times come
                        // with the next step
  std::exception_ptr failure_;  // of this rank's observer
  int failure_code_ = 0;
};

}  // namespace lockstep
