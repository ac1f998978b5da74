#include "run_files.hpp"

#include <cctype>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>
#include <lockstep/store/file.hpp>

#include "journal.hpp"

namespace lockstep {

RunFiles::RunFiles(const RunConfig& config, RunFolder folder, const Job& job, std::uint64_t step,
                   const std::optional<Checkpoint>& newest, Console& console)
    : config_(config),
      folder_(std::move(folder)),
      job_(job),
      console_(console),
      checkpoints_(folder_.path(), config.checkpoints.keep),
      metrics_(folder_.path(), step) {
  checkpoints_.remove_after(newest ? newest->state.step : 0);
  if (!newest) return;
  if (std::filesystem::exists(checkpoints_.file(newest->best_step))) {
    best_step_ = newest->best_step;
    best_loss_ = newest->best_loss;
  }
}

void RunFiles::step(const StepRecord& record) {
  if (const std::exception_ptr failure = background_.failure()) warn("checkpoints", failure);
  attempt("metrics", [&] {
    metrics_.add(record);
    if (record.step % Journal::flush_interval == 0) metrics_.flush();
  });
}

void RunFiles::epoch(const EpochRecord& record) {
  attempt("metrics", [&] { metrics_.add(record); });
}

void RunFiles::checkpoint(const Progress& progress, const TrainingState& state) {
  attempt("metrics", [&] { metrics_.flush(); });
  background_.submit(
      [this, checkpoint = describe(progress, state)]() mutable { save(std::move(checkpoint)); });
}

Checkpoint RunFiles::describe(const Progress& progress, const TrainingState& state) const {
  Checkpoint c;
  c.shape = job_.shape();
  c.state = state;
  c.seed = config_.recipe.seed;
  c.recipe = job_.settings();
  c.arithmetic = static_cast<std::uint64_t>(job_.arithmetic());
  c.data = job_.dataset().name();
  c.data_sha256 = job_.data_agreement().training_sha256();
  c.images = job_.image_style();
  c.restarts = progress.restarts;
  c.seconds = progress.seconds;
  c.validation_loss = progress.validation.loss;
  c.validation_accuracy = progress.validation.accuracy;
  return c;
}

/// In the background. The metrics first: after a power cut, they reach as far as any checkpoint.
/// The CSV can be made from them.
void RunFiles::save(Checkpoint checkpoint) {
  const std::uint64_t step = checkpoint.state.step;
  const bool validated = step % job_.plan().steps_per_epoch == 0;
  const bool best = validated && (best_step_ == 0 || checkpoint.validation_loss < best_loss_);
  checkpoint.best_step = best ? step : best_step_;
  checkpoint.best_loss = best ? checkpoint.validation_loss : best_loss_;
  sync_file(folder_.path() / "metrics.jsonl");
  checkpoints_.save(checkpoint);
  best_step_ = checkpoint.best_step;
  best_loss_ = checkpoint.best_loss;
  saved_step_ = step;
}

void RunFiles::attempt(const std::string& what, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error&) {
    warn(what, std::current_exception());
  }
}

void RunFiles::warn(const std::string& what, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    last_failure_ = error.what();
  }
  std::string kind = what + last_failure_;
  std::erase_if(kind, [](unsigned char c) { return std::isdigit(c); });  // the step in a name
  if (!warned_.insert(kind).second) return;
  console_.warning(fmt::format("{} not being saved, training goes on: {}", what, last_failure_));
}

void RunFiles::settle() {
  background_.wait();
  if (const std::exception_ptr failure = background_.failure()) warn("checkpoints", failure);
  attempt("metrics", [&] { metrics_.flush(); });
}

void RunFiles::require_checkpoint(std::uint64_t step) const {
  if (saved_step_ != step) throw Error(ExitCode::store, last_failure_);
}

}  // namespace lockstep
