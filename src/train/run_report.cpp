#include "run_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <iostream>

#include <lockstep/core/clock.hpp>
#include <lockstep/core/error.hpp>
#include <lockstep/report/plots.hpp>
#include <lockstep/train/model_file.hpp>

#include "resume.hpp"

namespace lockstep {
namespace {

constexpr std::size_t sheet_size =
    48;  // pictures on the prediction sheet, half of them the first ones

Prediction prediction(const TestReport& test, std::size_t i) {
  const Samples& samples = *test.samples;
  const auto probabilities = test.probabilities.subspan(i * test.classes, test.classes);
  const auto best = std::ranges::max_element(probabilities);
  Prediction result;
  result.index = test.first + i;
  result.rows = samples.rows;
  result.columns = samples.columns;
  result.pixels.assign(samples.picture(i), samples.picture(i) + samples.rows * samples.columns);
  result.label = samples.labels[i];
  result.predicted = static_cast<std::size_t>(best - probabilities.begin());
  result.confidence = *best;
  return result;
}

/// The first pictures of the part, then those where the model was wrong, the surest first.
std::vector<Prediction> choose_predictions(const TestReport& test) {
  std::vector<Prediction> sheet;
  std::vector<Prediction> errors;
  for (std::size_t i = 0; i < test.samples->size(); ++i) {
    Prediction p = prediction(test, i);
    if (i < sheet_size / 2) {
      sheet.push_back(std::move(p));
    } else if (p.predicted != p.label) {
      errors.push_back(std::move(p));
    }
  }
  std::ranges::stable_sort(errors, std::greater(), &Prediction::confidence);
  errors.resize(std::min(errors.size(), sheet_size - sheet.size()));
  std::ranges::move(errors, std::back_inserter(sheet));
  return sheet;
}

/// So that the last lines are printed whatever could be saved.
std::exception_ptr failure_of(const std::function<void()>& save) {
  try {
    save();
    return nullptr;
  } catch (const Error&) {
    return std::current_exception();
  }
}

}  // namespace

RunReport::RunReport(const Job& job, const RunConfig& config)
    : config_(config),
      shape_(job.shape()),
      plan_(job.plan()),
      console_(std::cout, isatty(STDOUT_FILENO) != 0, config.console,
               job.dataset().synthetic() ? "[synthetic] " : ""),
      title_(fmt::format("{} digits, seed {}", job.dataset().name(), config.recipe.seed)) {}

RunReport::RunReport(const RunConfig& config, const Job& job, std::optional<std::uint64_t> begun_at)
    : RunReport(job, config) {
  std::optional<RunFolder> folder;
  if (!config.out.empty()) {
    folder = begun_at ? RunFolder::take_over(config.out) : RunFolder::create(config.out);
  }
  start_ = find_start(config, job, begun_at, console_);
  if (folder) {
    folder->write("config.json", config.config_json);
    files_.emplace(config, std::move(*folder), job, start_ ? start_->state.step : 0, start_,
                   console_);
  }
  console_.line(job.description());
  if (start_) {
    console_.line(
        fmt::format("Going on after step {} of {}", start_->state.step, plan_.total_steps()));
  }
}

RunReport::RunReport(const RunConfig& config, const Job& job, std::uint64_t step,
                     const Journal& journal)
    : RunReport(job, config) {
  if (config.out.empty()) return;
  RunFolder folder = RunFolder::take_over(config.out);
  files_.emplace(config, std::move(folder), job, step, newest_checkpoint(config.out, console_),
                 console_);
  replay(journal, step);
}

/// Into the files alone: what is older than the last step was printed. Rows that are in the files
/// stay there, as this rank may die before it has written them again.
void RunReport::replay(const Journal& journal, std::uint64_t step) {
  auto ended = journal.epochs().begin();
  for (const StepRecord& record : journal.steps()) {
    files_->step(record);
    if (ended == journal.epochs().end() || ended->step != record.step) continue;
    files_->epoch(*ended);
    if (ended->step == step) console_.epoch(*ended);
    ++ended;
  }
}

void RunReport::step(const StepRecord& record) {
  if (first_step_ == 0) {
    first_step_ = record.step;
    begin_ = seconds_now() - record.seconds;
  }
  if (files_) files_->step(record);
  if (const auto slow = slow_ranks_.add(record)) {
    console_.warning(
        fmt::format("rank {} is slow: the others waited for it {:.0f} % of the last {} steps' time "
                    "(each rank's seconds: metrics.jsonl)",
                    names_.at(slow->rank), 100 * slow->share, SlowRankAlarm::steps));
  }
  const auto samples = static_cast<double>((record.step - first_step_ + 1) * plan_.batch_size);
  console_.progress(record, plan_.total_steps(), samples / (seconds_now() - begin_));
}

void RunReport::epoch(const EpochRecord& record, std::span<const float> parameters) {
  console_.epoch(record);
  if (files_) files_->epoch(record);
  if (config_.on_epoch) config_.on_epoch(record.epoch, parameters);
}

void RunReport::checkpoint(const Progress& progress, const TrainingState& state) {
  if (files_) files_->checkpoint(progress, state);
}

void RunReport::finish(const Summary& summary, std::span<const float> parameters,
                       const TestReport& test) {
  console_.test(test.score.loss, test.score.accuracy);
  const std::exception_ptr failure = failure_of([&] {
    if (files_) save(summary, parameters, test);
  });
  console_.weights(summary.weights_sha256);
  if (failure) std::rethrow_exception(failure);
}

void RunReport::save(const Summary& summary, std::span<const float> parameters,
                     const TestReport& test) {
  files_->settle();
  write_weights(summary, parameters);
  files_->attempt("pictures", [&] { draw(test); });
  files_->folder().finish(summary);
  console_.line(fmt::format("Run folder: {}", files_->folder().path().string()));
}

void RunReport::stop(const Summary& summary, std::span<const float> parameters) {
  const std::exception_ptr failure = failure_of([&] {
    if (!files_) return;
    files_->settle();
    files_->require_checkpoint(summary.steps);
    write_weights(summary, parameters);
  });
  console_.line(
      fmt::format("Stopped on request after step {} of {}", summary.steps, plan_.total_steps()));
  console_.weights(summary.weights_sha256);
  if (failure) std::rethrow_exception(failure);
}

/// What was written must be the weights that the ranks agreed on.
void RunReport::write_weights(const Summary& summary, std::span<const float> parameters) {
  const auto path = files_->folder().path() / "model.safetensors";
  Model model{shape_, Buffer<float>(parameters.size()), config_.recipe.seed, summary.steps,
              summary.data};
  model.images = files_->image_style();
  std::ranges::copy(parameters, model.parameters.data());
  write_model(path, model);
  if (weights_sha256(read_model(path).parameters.span()) == summary.weights_sha256) return;
  throw Error(ExitCode::store,
              fmt::format("{} does not hold the weights of the run; this machine's memory or disk "
                          "fails, go on from the checkpoint on another",
                          path.string()));
}

/// All at once, as the other ranks only wait.
void RunReport::draw(const TestReport& test) {
  const auto& path = files_->folder().path();
  const auto start = [](auto draw) { return std::async(std::launch::async, draw); };
  std::future<std::string> pictures[] = {
      start([&] { return draw_curves(path, title_); }),
      start([&] { return draw_predictions(path, choose_predictions(test), title_); }),
      start([&] { return draw_confusion(path, test.confusion, test.classes, title_); })};
  for (std::future<std::string>& picture : pictures) note(picture.get());
}

void RunReport::note(const std::string& line) {
  if (!line.empty()) console_.line(line);
}

}  // namespace lockstep
