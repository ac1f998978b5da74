#include "faulty_replica.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <thread>

#include "checkpoint_folder.hpp"

namespace lockstep {
namespace {

constexpr auto slowness = std::chrono::milliseconds(20);
constexpr rlim_t full_disk_bytes = 1024;  // of a file; writes beyond fail

/// As a crash while it was written without care, or a bad disk, would leave it.
void tear_newest_checkpoint(const std::filesystem::path& run) {
  const auto files = CheckpointFolder(run, 1).newest_first();
  if (files.empty()) return;
  std::filesystem::resize_file(files.front(), std::filesystem::file_size(files.front()) / 2);
}

void fill_disk() {
  const rlimit limit{full_disk_bytes, full_disk_bytes};
  setrlimit(RLIMIT_FSIZE, &limit);
}

float flipped(float value) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1u << 20);
}

float not_a_number(float) {
  return std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

StepOutcome FaultyReplica::step(std::uint64_t step, const StepRequest& request) {
  if (take(FaultKind::exit, step)) std::exit(EXIT_FAILURE);
  if (take(FaultKind::kill, step)) std::raise(SIGKILL);
  if (take(FaultKind::stop, step)) std::raise(SIGSTOP);
  if (take(FaultKind::slow, step)) slow_ = true;
  if (take(FaultKind::nan, step)) change_weight(not_a_number);
  if (take(FaultKind::torn_checkpoint, step)) tear_newest_checkpoint(run_);
  if (take(FaultKind::full_disk, step)) fill_disk();
  if (slow_) std::this_thread::sleep_for(slowness);
  if (take(FaultKind::wrong_sum, step)) world_.spoil_next_sum();
  StepRequest now = request;
  if (slow_ || !faults_.empty()) now.until = step;  // they happen between steps
  const StepOutcome outcome = ForwardingReplica::step(step, now);
  if (take(FaultKind::flip, step)) change_weight(flipped);
  return outcome;
}

/// Whether it is to happen now, which it then does no second time.
bool FaultyReplica::take(FaultKind kind, std::uint64_t step) {
  return std::erase_if(faults_, [&](const Fault& fault) {
           return fault.kind == kind && fault.step == step;
         }) > 0;
}

void FaultyReplica::change_weight(float (*change)(float)) {
  TrainingState changed = state();
  float& weight = changed.parameters[changed.parameters.size() / 3];
  weight = change(weight);
  restore(changed);
}

}  // namespace lockstep
