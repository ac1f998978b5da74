#include <lockstep/train/run.hpp>

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/core/error.hpp>
#include <lockstep/train/model_file.hpp>
#include <lockstep/train/supervisor.hpp>

#include "faulty_replica.hpp"
#include "job.hpp"
#include "journal.hpp"
#include "process_status.hpp"
#include "recovery.hpp"
#include "resume.hpp"
#include "run_report.hpp"
#include "spoiling_communicator.hpp"
#include "watchdog.hpp"
#include "watched_communicator.hpp"
#include "watched_replica.hpp"

namespace lockstep {
namespace {

Summary summarise(const Job& job, std::span<const float> parameters, const Progress& progress,
                  const Communicator& world) {
  Summary s;
  s.validation_loss = progress.validation.loss;
  s.validation_accuracy = progress.validation.accuracy;
  s.weights_sha256 = weights_sha256(parameters);
  s.steps = progress.steps;
  s.world_size = world.size();
  s.restarts = progress.restarts;
  s.seconds = progress.seconds;
  s.samples_per_second = static_cast<double>(progress.steps * job.plan().batch_size) /
                         std::max(progress.seconds, 1e-9);
  s.arithmetic = job.arithmetic();
  s.engine = job.engine();
  s.isa = job.isa();
  s.communicator = world.description();
  s.data = job.dataset().name();
  s.synthetic = job.dataset().synthetic();
  return s;
}

/// Throws RankLost, on all ranks, unless all have the same. Collective.
void expect_same_hash(const std::string& sha256, Communicator& world) {
  constexpr std::size_t words = 8;  // of its 64 characters
  std::vector<std::int64_t> table(world.size() * words);
  const auto of = [&](std::size_t rank) { return std::span(table).subspan(rank * words, words); };
  sha256.copy(reinterpret_cast<char*>(of(world.rank()).data()), words * sizeof(std::int64_t));
  all_reduce_checked(world, table);
  for (std::size_t rank = 1; rank < world.size(); ++rank) {
    if (std::ranges::equal(of(rank), of(0))) continue;
    throw RankLost(
        "the ranks' weights differ at the end; a machine computes wrongly, start the run "
        "again without it");
  }
}

/// Counts [truth][prediction] over all ranks' parts of the test set. Collective.
std::vector<std::uint64_t> count_confusion(const TestReport& test, Communicator& world) {
  std::vector<std::int64_t> counts(test.classes * test.classes);
  for (std::size_t i = 0; i < test.samples->size(); ++i) {
    const auto row = test.probabilities.subspan(i * test.classes, test.classes);
    const auto predicted = std::ranges::max_element(row) - row.begin();
    ++counts[test.samples->labels[i] * test.classes + static_cast<std::size_t>(predicted)];
  }
  all_reduce_checked(world, counts);
  return {counts.begin(), counts.end()};
}

/// The test set's figures; `probabilities` is their memory. Collective.
TestReport report_test(Job& job, Replica& replica, Communicator& world,
                       std::vector<float>& probabilities) {
  TestReport test;
  test.classes = job.shape().classes;
  test.score = job.evaluator().test(replica, probabilities, test.classes);
  test.samples = &job.evaluator().test_part();
  test.first = job.evaluator().test_first();
  test.probabilities = probabilities;
  test.confusion = count_confusion(test, world);
  return test;
}

/// One rank's run, from the start to the end, whoever dies on the way.
class Run {
 public:
  Run(const RunConfig& config, Communicator& world)
      : config_(config), faulty_world_(world), world_(faulty_world_, pulse_), recovery_(world_) {
    std::erase_if(config_.faults, [&](const Fault& fault) { return fault.rank != world.rank(); });
  }

  Summary to_the_end() {
    for (;;) {
      try {
        recovery_.agree_on(standing_);
        if (!standing_.failure) return go_on();
      } catch (const RankLost& cause) {
        leave(cause);
        continue;
      } catch (const std::exception& error) {
        if (!world_.can_recover()) throw;
        fail(error);
        continue;
      }
      end_together();
      std::rethrow_exception(standing_.failure);
    }
  }

  /// Whether it ended on request, before the last step.
  bool stopped() const noexcept { return stopped_; }

 private:
  /// The state is copied when the group has been left: until then, MPI may still write to memory
  /// that a call which failed has freed, and the copy could lie there.
  void leave(const RankLost& cause) {
    pulse_.set(Activity::recovering);
    recovery_.leave(cause.what());
    if (trainer_) standing_ = {job_->replica().state(), trainer_->interrupted(), nullptr};
    trainer_.reset();
  }

  /// Takes this rank's failure to the others, which may wait for it in any call. In the handler of
  /// the exception.
  void fail(const std::exception& error) {
    standing_.failure = std::current_exception();
    trainer_.reset();
    recovery_.leave(error.what());
  }

  /// After what threads beside the training have to finish, a checkpoint or a hash: mpirun ends the
  /// ranks that are left when the first has ended.
  void end_together() {
    journal_.attach(nullptr);
    report_.reset();
    job_.reset();
    try {
      world_.settle();
    } catch (const RankLost&) {  // all end anyhow
    }
  }

  /// From where the ranks stand to the end.
  Summary go_on() {
    if (world_.rank() == 0) tell_supervisor("together");
    agree(world_, [&] { watch(); });
    if (job_) {
      job_->share_out(standing_.state);
    } else {
      job_ = std::make_unique<Job>(config_, world_, standing_.state);
    }
    const bool again = job_->data_agreement().past_is_doubtful();
    if (again) give_up_the_past();
    if (heartbeats_) heartbeats_->forget_name();
    agree(world_, [&] {
      job_->data_agreement().begin_hashing(world_.rank() == 0 && !config_.out.empty());
      if (world_.rank() == 0) report(recovery_.happened());
      if (again && report_) {
        report_->note("The run begins again: the data of a lost rank had not been compared yet");
      }
    });
    recovery_.forget();
    if (!standing_.begun()) begin();
    pulse_.set(Activity::saving);
    faulty_.emplace(job_->replica(), faulty_world_, config_.faults, config_.out);
    watched_.emplace(*faulty_, pulse_);
    trainer_.emplace(job_->plan(), job_->schedule(), *watched_, job_->evaluator(),
                     job_->data_agreement(), world_, journal_);
    return finish(trainer_->run(standing_.progress));
  }

  /// What was trained with ranks whose data can't be compared any more. The run begins again.
  void give_up_the_past() {
    world_.settle();
    standing_ = {};
    job_->data_agreement().forget_past();
  }

  /// With the other ranks of this host as they are now.
  void watch() {
    watchdog_.reset();
    pulse_.show(nullptr);
    heartbeats_.reset();
    if (config_.hang_timeout <= 0 || world_.size() == 1) return;
    heartbeats_.emplace(recovery_.host_key(), recovery_.first_size());
    Heartbeat& own = (*heartbeats_)[recovery_.own_number()];
    own.process = ::getpid();
    own.born = process_status(::getpid()).born;
    pulse_.show(&own);
    watchdog_.emplace(*heartbeats_, WatchConfig{.timeout = config_.hang_timeout,
                                                .own = recovery_.own_number(),
                                                .host = recovery_.host(),
                                                .elsewhere = recovery_.elsewhere()});
  }

  /// Rank 0's, which may have become it just now.
  void report(const std::vector<std::string>& happened) {
    if (!standing_.begun()) {
      report_.reset();
      report_ = std::make_unique<RunReport>(config_, *job_, begun_at_);
      report_->note(recovery_.means());
    } else if (!report_) {
      report_ = std::make_unique<RunReport>(config_, *job_, standing_.state.step, journal_);
      journal_.attach(report_.get());
    }
    report_->name_ranks(recovery_.names());
    tell_supervisor("training");
    for (const std::string& line : happened) report_->note(line);
  }

  /// At the first step, or at a checkpoint.
  void begin() {
    const std::optional<Checkpoint> none;
    share_folder();
    const Progress start = share_start(report_ ? report_->start() : none, job_->replica(), world_);
    world_.settle();
    recovery_.begun_at(start.steps);
    if (!begun_at_) begun_at_ = start.steps;
    standing_ = {job_->replica().state(), start, nullptr};
    journal_ = Journal();
    journal_.attach(report_.get());
  }

  /// Rank 0's run folder, which it may have named by itself, is everyone's.
  void share_folder() {
    std::string name = config_.out.string();
    name.resize(PATH_MAX);
    world_.broadcast(std::as_writable_bytes(std::span(name)), 0);
    config_.out = name.c_str();
  }

  /// Not on the test set where the run was stopped. The weights are compared last, so that those
  /// that were evaluated and those that are written are all ranks'.
  Summary finish(const Progress& progress) {
    job_->data_agreement().agree_on_content();
    std::vector<float> probabilities;
    TestReport test;
    if (!progress.stopped) test = report_test(*job_, *watched_, world_, probabilities);
    const auto parameters = job_->replica().parameters();
    Summary summary = summarise(*job_, parameters, progress, world_);
    summary.ranks_lost = recovery_.ranks_lost();
    summary.test_loss = test.score.loss;
    summary.test_accuracy = test.score.accuracy;
    expect_same_hash(summary.weights_sha256, world_);
    agree(world_, [&] {
      if (!report_) return;
      progress.stopped ? report_->stop(summary, parameters)
                       : report_->finish(summary, parameters, test);
    });
    world_.settle();
    stopped_ = progress.stopped;
    return summary;
  }

  RunConfig config_;
  Pulse pulse_;
  SpoilingCommunicator faulty_world_;
  WatchedCommunicator world_;
  Recovery recovery_;
  Standing standing_;
  std::optional<std::uint64_t> begun_at_;  // the step of the first start
  bool stopped_ = false;
  std::unique_ptr<Job> job_;
  Journal journal_;
  std::unique_ptr<RunReport> report_;  // rank 0's
  std::optional<FaultyReplica> faulty_;
  std::optional<WatchedReplica> watched_;
  std::optional<Trainer> trainer_;  // while it is at work
  std::optional<HeartbeatTable> heartbeats_;
  std::optional<Watchdog> watchdog_;
};

}  // namespace

Summary run_training(const RunConfig& config, Communicator& world) {
  try {
    Run run(config, world);
    const Summary summary = run.to_the_end();
    if (run.stopped()) throw Error(ExitCode::stopped, "");
    return summary;
  } catch (const Error& error) {
    // Every rank finds it in the same sum, at the same step: the first tells.
    if (error.code() == ExitCode::non_finite && world.rank() > 0) throw Error(error.code(), "");
    throw;
  }
}

}  // namespace lockstep
