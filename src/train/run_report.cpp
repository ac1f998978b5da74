#include "run_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include <lockstep/core/clock.hpp>
#include <lockstep/report/plots.hpp>
#include <lockstep/train/model_file.hpp>

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

}  // namespace

RunReport::RunReport(const RunConfig& config, const Job& job)
    : config_(config),
      shape_(job.shape()),
      plan_(job.plan()),
      console_(std::cout, isatty(STDOUT_FILENO) != 0, config.console,
               job.dataset().synthetic() ? "[synthetic] " : ""),
      title_(fmt::format("{} digits, seed {}", job.dataset().name(), config.recipe.seed)) {
  if (!config.out.empty()) {
    folder_ = RunFolder::create(config.out);
    folder_->write("config.json", config.config_json);
    metrics_.emplace(folder_->path());
  }
  console_.line(job.description());
}

void RunReport::step(const StepRecord& record) {
  if (begin_ == 0) begin_ = seconds_now() - record.seconds;
  if (metrics_) metrics_->add(record);
  const double samples = static_cast<double>(record.step * plan_.batch_size);
  console_.progress(record, plan_.total_steps(), samples / (seconds_now() - begin_));
}

void RunReport::epoch(const EpochRecord& record, std::span<const float> parameters) {
  console_.epoch(record);
  if (metrics_) {
    metrics_->add(record);
    metrics_->flush();
  }
  if (config_.on_epoch) config_.on_epoch(record.epoch, parameters);
}

void RunReport::finish(const Summary& summary, std::span<const float> parameters,
                       const TestReport& test) {
  console_.test(test.score.loss, test.score.accuracy);
  if (folder_) {
    write_weights(summary, parameters);
    draw(test);
    folder_->finish(summary);
    console_.line(fmt::format("Run folder: {}", folder_->path().string()));
  }
  console_.weights(summary.weights_sha256);
}

void RunReport::stop(const Summary& summary, std::span<const float> parameters) {
  if (folder_) write_weights(summary, parameters);
  console_.line(
      fmt::format("Stopped on request after step {} of {}", summary.steps, plan_.total_steps()));
  console_.weights(summary.weights_sha256);
}

void RunReport::write_weights(const Summary& summary, std::span<const float> parameters) {
  metrics_->flush();
  Model model{shape_, Buffer<float>(parameters.size()), config_.recipe.seed, summary.steps,
              summary.data};
  std::ranges::copy(parameters, model.parameters.data());
  write_model(folder_->path() / "model.safetensors", model);
}

void RunReport::draw(const TestReport& test) {
  const auto& path = folder_->path();
  note(draw_curves(path, title_));
  note(draw_predictions(path, choose_predictions(test), title_));
  note(draw_confusion(path, test.confusion, test.classes, title_));
}

void RunReport::note(const std::string& line) {
  if (!line.empty()) console_.line(line);
}

}  // namespace lockstep
