#include <lockstep/core/gpus.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace lockstep {

namespace {

using Outcome = GpuSurvey::Outcome;

/// Whether code for one of CMake's CUDA architectures runs: "90" holds PTX too, which later GPUs
/// translate; "90-real" runs on 9.x from 9.0 on; "90a" on 9.0 alone.
bool runs_on(std::string_view architecture, int capability) {
  int built = 0;
  const auto end = architecture.data() + architecture.size();
  const auto [rest, error] = std::from_chars(architecture.data(), end, built);
  if (error != std::errc{}) return false;
  const std::string_view kind(rest, static_cast<std::size_t>(end - rest));
  if (kind.starts_with("a")) return capability == built;
  if (kind.empty() || kind == "-virtual") return capability >= built;
  return capability >= built && capability / 10 == built / 10;
}

bool any_runs_on(std::string_view architectures, int capability) {
  while (!architectures.empty()) {
    const std::size_t end = std::min(architectures.find(','), architectures.size());
    if (runs_on(architectures.substr(0, end), capability)) return true;
    architectures.remove_prefix(std::min(end + 1, architectures.size()));
  }
  return false;
}

/// 13000 is 13.0.
std::string cuda_text(int version) {
  return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string capability_text(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

UsableGpus usable_of(const GpuSurvey& survey) {
  UsableGpus usable;
  for (std::size_t place = 0; place < survey.gpus.size(); ++place) {
    if (any_runs_on(survey.architectures, survey.gpus[place].capability)) {
      usable.places.push_back(place);
    }
  }
  if (!usable.places.empty()) return usable;
  const Gpu& gpu = survey.gpus.front();
  usable.reason = "the kernels of this build (" +
                  (survey.architectures.empty() ? "none" : survey.architectures) +
                  ") do not run on the " + gpu.name + " of " + survey.host +
                  ", compute capability " + capability_text(gpu.capability);
  usable.remedy = "build again with -DCMAKE_CUDA_ARCHITECTURES=" + std::to_string(gpu.capability);
  return usable;
}

}  // namespace

UsableGpus usable_gpus(const GpuSurvey& survey) {
  switch (survey.outcome) {
    case Outcome::not_built_in:
      return {{}, "this build has no CUDA", "install the CUDA toolkit (nvcc) and build again"};
    case Outcome::no_driver:
      return {
          {},
          "no NVIDIA driver on " + survey.host,
          "install one, until nvidia-smi lists the GPU (in a container: start it with its GPUs)"};
    case Outcome::old_driver:
      return {{},
              "the NVIDIA driver of " + survey.host + " takes " + cuda_text(survey.driver) +
                  " at most, and this build needs " + cuda_text(survey.runtime),
              "update the driver, or build with an older CUDA toolkit"};
    case Outcome::none_visible:
      return {{},
              "no GPU is visible on " + survey.host +
                  (survey.visible.empty() ? "" : " (CUDA_VISIBLE_DEVICES=" + survey.visible + ")"),
              "see whether nvidia-smi lists one and CUDA_VISIBLE_DEVICES names it"};
    case Outcome::failed:
      return {{},
              "CUDA fails on " + survey.host + ": " + survey.error,
              "see whether nvidia-smi works there"};
    case Outcome::found:
      break;
  }
  return usable_of(survey);
}

}  // namespace lockstep
