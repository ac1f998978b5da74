#include "faulty_replica.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <thread>

#include <lockstep/core/error.hpp>

#include "checkpoint_folder.hpp"

namespace lockstep {
namespace {

constexpr auto slowness = std::chrono::milliseconds(20);
constexpr rlim_t full_disk_bytes = 1024;  // of a file; writes beyond fail

std::optional<std::filesystem::path> newest_checkpoint_file(const std::filesystem::path& run) {
  const auto files = CheckpointFolder(run, 1).newest_first();
  return files.empty() ? std::nullopt : std::optional(files.front());
}

/// As a crash while it was written without care, or a bad disk, would leave it.
void tear_newest_checkpoint(const std::filesystem::path& run) {
  const auto path = newest_checkpoint_file(run);
  if (path) std::filesystem::resize_file(*path, std::filesystem::file_size(*path) / 2);
}

void flip_newest_checkpoint(const std::filesystem::path& run, const Fault& fault) {
  const auto path = newest_checkpoint_file(run);
  if (!path) return;
  const std::size_t size = std::filesystem::file_size(*path);
  const auto place = static_cast<std::streamoff>(fault.place.value_or(size / 3) % size);
  std::fstream file(*path, std::ios::in | std::ios::out | std::ios::binary);
  const int byte = file.seekg(place).get();
  file.seekp(place).put(static_cast<char>(byte ^ 1 << fault.bit % 8));
}

void fill_disk() {
  const rlimit limit{full_disk_bytes, full_disk_bytes};
  setrlimit(RLIMIT_FSIZE, &limit);
}

float flipped(float value, unsigned bit) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1u << bit % 32);
}

/// Where the fault happens among `size` values.
std::size_t place_of(const Fault& fault, std::size_t size) {
  return fault.place.value_or(size / 3) % size;
}

}  // namespace

StepOutcome FaultyReplica::step(std::uint64_t step, const StepRequest& request) {
  if (take(FaultKind::exit, step)) std::exit(EXIT_FAILURE);
  if (take(FaultKind::kill, step)) std::raise(SIGKILL);
  if (take(FaultKind::stop, step)) std::raise(SIGSTOP);
  if (take(FaultKind::slow, step)) slow_ = true;
  if (take(FaultKind::error, step)) throw Error(ExitCode::internal, "an injected error");
  if (take(FaultKind::nan, step)) spoil_weight();
  if (take(FaultKind::torn_checkpoint, step)) tear_newest_checkpoint(run_);
  if (const auto fault = take(FaultKind::flip_checkpoint, step))
    flip_newest_checkpoint(run_, *fault);
  if (take(FaultKind::full_disk, step)) fill_disk();
  if (slow_) std::this_thread::sleep_for(slowness);
  if (const auto fault = take(FaultKind::wrong_sum, step)) {
    world_.spoil_next_sum(fault->place.value_or(0), fault->bit);
  }
  if (const auto fault = take(FaultKind::flip_gradient, step)) {
    world_.flip_next_gradient(fault->place.value_or(0), fault->bit);
  }
  StepRequest now = request;
  if (slow_ || !faults_.empty()) now.until = step;  // they happen between steps
  const StepOutcome outcome = ForwardingReplica::step(step, now);
  if (const auto fault = take(FaultKind::flip, step)) flip_weight(*fault);
  if (const auto fault = take(FaultKind::flip_moment, step)) flip_moment(*fault);
  return outcome;
}

/// The fault if it is to happen now, which it then does no second time.
std::optional<Fault> FaultyReplica::take(FaultKind kind, std::uint64_t step) {
  const auto now = std::ranges::find_if(
      faults_, [&](const Fault& fault) { return fault.kind == kind && fault.step == step; });
  if (now == faults_.end()) return {};
  const Fault fault = *now;
  faults_.erase(now);
  return fault;
}

void FaultyReplica::spoil_weight() {
  TrainingState changed = state();
  changed.parameters[changed.parameters.size() / 3] = std::numeric_limits<float>::quiet_NaN();
  restore(changed);
}

void FaultyReplica::flip_weight(const Fault& fault) {
  TrainingState changed = state();
  float& weight = changed.parameters[place_of(fault, changed.parameters.size())];
  weight = flipped(weight, fault.bit);
  restore(changed);
}

/// The second moments' places are behind those of the first.
void FaultyReplica::flip_moment(const Fault& fault) {
  TrainingState changed = state();
  const std::size_t size = changed.first_moment.size();
  const std::size_t place = place_of(fault, 2 * size);
  float& moment = (place < size ? changed.first_moment : changed.second_moment)[place % size];
  moment = flipped(moment, fault.bit);
  restore(changed);
}

}  // namespace lockstep
