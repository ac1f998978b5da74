#include "gpu_machine.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <lockstep/comm/device_reducer.hpp>
#include <lockstep/core/gpus.hpp>

#include "grid.hpp"

namespace cuda_on_cpu {

Machine machine;
thread_local std::function<void(std::span<std::int64_t> values)> before_sum;

}  // namespace cuda_on_cpu

// In the place of cuda_survey.cpp and nccl_reducer.cpp.
namespace lockstep {

using cuda_on_cpu::machine;

GpuSurvey survey_gpus() {
  GpuSurvey survey;
  survey.outcome = machine.gpus > 0 ? GpuSurvey::Outcome::found : GpuSurvey::Outcome::none_visible;
  survey.host = "here";
  survey.architectures = "90";
  for (std::size_t i = 0; i < machine.gpus; ++i) survey.gpus.push_back({"stand-in", 90, 1 + i});
  return survey;
}

void use_gpu(std::size_t) {}

bool nccl_is_built_in() noexcept {
  return machine.nccl;
}
std::string nccl_description() {
  return "no NCCL";
}
bool nccl_shares_gpus() {
  return false;
}

namespace {

/// The ranks that sum together.
struct Clique {
  std::mutex mutex;
  std::size_t size = 0;
  std::map<std::uint64_t, std::vector<std::span<std::int64_t>>> sums;  // not complete, by number
  std::uint64_t complete = 0;
};

/// By a number that rank 0 gives to the others.
std::shared_ptr<Clique> join(Communicator& ranks) {
  static std::mutex mutex;
  static std::map<std::int64_t, std::shared_ptr<Clique>> cliques;
  std::int64_t number = 0;
  if (ranks.rank() == 0) {
    const std::lock_guard lock(mutex);
    number = static_cast<std::int64_t>(cliques.size()) + 1;
    cliques[number] = std::make_shared<Clique>();
    cliques[number]->size = ranks.size();
  }
  all_reduce_checked(ranks, {&number, 1});
  const std::lock_guard lock(mutex);
  return cliques.at(number);
}

class StreamReducer final : public DeviceReducer {
 public:
  explicit StreamReducer(Communicator& ranks) { renew(ranks); }

  void all_reduce(std::int64_t* block, std::size_t n, void* stream) override {
    cuda_on_cpu::enqueue_waiting(static_cast<cuda_on_cpu::Stream*>(stream),
                                 [this, values = std::span(block, n)] { return sum(values); });
  }
  void check() override {
    if (!clique_) throw RankLost("the sums were given up");
    ranks_->poll();
  }
  /// What waits for others is done, and what comes after it.
  void abort() noexcept override {
    machine.misuses += cuda_on_cpu::living_graphs > 0;
    clique_.reset();
  }
  void renew(Communicator& ranks) override {
    machine.misuses += cuda_on_cpu::living_graphs > 0;
    ranks_ = &ranks;
    given_ = done_ = 0;
    clique_ = join(ranks);
  }
  std::string description() const override { return nccl_description(); }

 private:
  /// Whether it is there.
  bool sum(std::span<std::int64_t> values) {
    if (!clique_) return true;
    const std::lock_guard lock(clique_->mutex);
    if (given_ == done_) give(values);
    if (clique_->complete < given_) return false;
    ++done_;
    return true;
  }

  void give(std::span<std::int64_t> values) {
    if (cuda_on_cpu::before_sum) cuda_on_cpu::before_sum(values);
    ++machine.sums;
    auto& parts = clique_->sums[++given_];
    parts.push_back(values);
    if (parts.size() < clique_->size) return;
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::uint64_t total = 0;
      for (const auto& part : parts) total += static_cast<std::uint64_t>(part[i]);
      for (const auto& part : parts) part[i] = static_cast<std::int64_t>(total);
    }
    clique_->sums.erase(given_);
    clique_->complete = given_;
  }

  Communicator* ranks_ = nullptr;
  std::shared_ptr<Clique> clique_;      // null: given up
  std::uint64_t given_ = 0, done_ = 0;  // sums
};

}  // namespace

std::unique_ptr<DeviceReducer> make_nccl_reducer(Communicator& ranks, const NcclConfig&) {
  return std::make_unique<StreamReducer>(ranks);
}

}  // namespace lockstep
