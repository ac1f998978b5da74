#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {

struct Gpu {
  std::string name;      // "NVIDIA H200"
  int capability = 0;    // 90: compute capability 9.0
  std::uint64_t id = 0;  // no other GPU of any host has it; not 0
};

/// What the CUDA runtime finds on this host.
struct GpuSurvey {
  enum class Outcome { not_built_in, no_driver, old_driver, none_visible, failed, found };

  Outcome outcome = Outcome::not_built_in;
  std::string host;
  int runtime = 0;           // the CUDA that this build needs, 13000: 13.0
  int driver = 0;            // the newest CUDA that the driver takes; 0: there is no driver
  std::string error = {};    // CUDA's own text, where it failed
  std::string visible = {};  // CUDA_VISIBLE_DEVICES, empty where it is not set
  std::string architectures =
      {};                      // that the kernels are built for, as CMake calls them: "80,90-real"
  std::vector<Gpu> gpus = {};  // in CUDA's order, those that it makes visible
};

/// Asks CUDA, which takes it a moment where there is a GPU.
GpuSurvey survey_gpus();

/// What the calling thread does on a GPU from now on, it does on this one of GpuSurvey::gpus.
/// Throws Error (internal).
void use_gpu(std::size_t place);

/// The GPUs that this build can compute on, or why there are none.
struct UsableGpus {
  std::vector<std::size_t> places;  // in GpuSurvey::gpus
  std::string reason;               // a phrase, "no NVIDIA driver on node7"; empty if there are any
  std::string remedy;  // how to mend that: "install one, then nvidia-smi lists the GPUs"
};
UsableGpus usable_gpus(const GpuSurvey& survey);

}  // namespace lockstep
