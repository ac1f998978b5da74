#include "gpu_machine.hpp"

#include <memory>
#include <span>
#include <utility>

#include <lockstep/comm/device_reducer.hpp>
#include <lockstep/core/gpus.hpp>

#include "grid.hpp"

namespace cuda_on_cpu {

Machine machine;

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

/// As NCCL's: an error shows in check() alone, and later sums are worthless.
class StreamReducer final : public DeviceReducer {
 public:
  explicit StreamReducer(Communicator& ranks) : ranks_(&ranks) {}

  void all_reduce(std::int64_t* block, std::size_t n, void* stream) override {
    cuda_on_cpu::enqueue(static_cast<cuda_on_cpu::Stream*>(stream),
                         [this, values = std::span(block, n), use = in_use_] { sum(values); });
  }
  bool capturable() const noexcept override { return true; }
  void check() override {
    if (lost_) throw RankLost("a rank was lost in a sum");
  }
  void abort() noexcept override { machine.misuses += in_use_.use_count() > 1; }
  void renew(Communicator& ranks) override {
    machine.misuses += in_use_.use_count() > 1;
    ranks_ = &ranks;
    lost_ = false;
  }
  std::string description() const override { return nccl_description(); }

 private:
  void sum(std::span<std::int64_t> values) {
    ++machine.sums;
    if (lost_) return;
    try {
      ranks_->all_reduce(values);
    } catch (const RankLost&) {
      lost_ = true;
    }
  }

  Communicator* ranks_;
  bool lost_ = false;
  std::shared_ptr<int> in_use_ = std::make_shared<int>();
};

}  // namespace

std::unique_ptr<DeviceReducer> make_nccl_reducer(Communicator& ranks, const NcclConfig&) {
  return std::make_unique<StreamReducer>(ranks);
}

}  // namespace lockstep
