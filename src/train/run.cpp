#include <lockstep/train/run.hpp>

#include <algorithm>

#include <lockstep/core/error.hpp>
#include <lockstep/train/model_file.hpp>

#include "job.hpp"
#include "resume.hpp"
#include "run_report.hpp"

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

/// Counts [truth][prediction] over all ranks' parts of the test set. Collective.
std::vector<std::uint64_t> count_confusion(const TestReport& test, Communicator& world) {
  std::vector<std::int64_t> counts(test.classes * test.classes);
  for (std::size_t i = 0; i < test.samples->size(); ++i) {
    const auto row = test.probabilities.subspan(i * test.classes, test.classes);
    const auto predicted = std::ranges::max_element(row) - row.begin();
    ++counts[test.samples->labels[i] * test.classes + static_cast<std::size_t>(predicted)];
  }
  world.all_reduce(counts);
  return {counts.begin(), counts.end()};
}

/// The test set's figures; `probabilities` is their memory. Collective.
TestReport report_test(Job& job, Communicator& world, std::vector<float>& probabilities) {
  TestReport test;
  test.classes = job.shape().classes;
  test.score = job.evaluator().test(job.replica(), probabilities, test.classes);
  test.samples = &job.evaluator().test_part();
  test.first = job.evaluator().test_first();
  test.probabilities = probabilities;
  test.confusion = count_confusion(test, world);
  return test;
}

Summary train(const RunConfig& config, Communicator& world) {
  Job job(config, world);
  Observer silent;
  std::unique_ptr<RunReport> report;
  agree(world, [&] {
    if (world.rank() == 0) report = std::make_unique<RunReport>(config, job);
  });
  Trainer trainer(job.plan(), job.schedule(), job.replica(), job.evaluator(), world,
                  report ? static_cast<Observer&>(*report) : silent);
  const Progress start =
      share_start(report ? report->start() : std::optional<Checkpoint>(), job.replica(), world);
  const Progress progress = trainer.run(start);
  const auto parameters = job.replica().parameters();
  Summary summary = summarise(job, parameters, progress, world);
  if (progress.stopped) {
    agree(world, [&] {
      if (report) report->stop(summary, parameters);
    });
    throw Error(ExitCode::stopped, "");
  }
  std::vector<float> probabilities;
  const TestReport test = report_test(job, world, probabilities);
  summary.test_loss = test.score.loss;
  summary.test_accuracy = test.score.accuracy;
  agree(world, [&] {
    if (report) report->finish(summary, parameters, test);
  });
  return summary;
}

}  // namespace

Summary run_training(const RunConfig& config, Communicator& world) {
  try {
    return train(config, world);
  } catch (const Error& error) {
    // Every rank finds it in the same sum, at the same step: the first tells.
    if (error.code() == ExitCode::non_finite && world.rank() > 0) throw Error(error.code(), "");
    throw;
  }
}

}  // namespace lockstep
