#include <cuda_runtime_api.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include <lockstep/core/error.hpp>
#include <lockstep/core/gpus.hpp>
#include <lockstep/core/host_name.hpp>

namespace lockstep {

namespace {

using Outcome = GpuSurvey::Outcome;

Gpu gpu_at(int place) {
  cudaDeviceProp properties{};
  cudaGetDeviceProperties(&properties, place);
  Gpu gpu{properties.name, 10 * properties.major + properties.minor, 0};
  // The halves of its UUID, which is random.
  std::array<std::uint64_t, 2> halves{};
  static_assert(sizeof halves == sizeof properties.uuid);
  std::memcpy(halves.data(), &properties.uuid, sizeof halves);
  gpu.id = (halves[0] ^ halves[1]) | 1;
  return gpu;
}

Outcome outcome_of(cudaError_t code, int driver, int count) {
  switch (code) {
    case cudaSuccess:
      return count > 0 ? Outcome::found : Outcome::none_visible;
    case cudaErrorNoDevice:
      return driver == 0 ? Outcome::no_driver : Outcome::none_visible;
    case cudaErrorInsufficientDriver:
      return driver == 0 ? Outcome::no_driver : Outcome::old_driver;
    default:
      return Outcome::failed;
  }
}

}  // namespace

GpuSurvey survey_gpus() {
  GpuSurvey survey;
  survey.host = host_name();
  survey.architectures = LOCKSTEP_CUDA_ARCHITECTURES;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) survey.visible = visible;
  cudaRuntimeGetVersion(&survey.runtime);
  cudaDriverGetVersion(&survey.driver);
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  survey.outcome = outcome_of(code, survey.driver, count);
  if (survey.outcome == Outcome::failed) survey.error = cudaGetErrorString(code);
  if (survey.outcome != Outcome::found) return survey;
  for (int place = 0; place < count; ++place) survey.gpus.push_back(gpu_at(place));
  return survey;
}

void use_gpu(std::size_t place) {
  const cudaError_t code = cudaSetDevice(static_cast<int>(place));
  if (code == cudaSuccess) return;
  throw Error(ExitCode::internal, std::string("the GPU can't be used: ") +
                                      cudaGetErrorString(code) +
                                      "; see whether nvidia-smi works, or run with --device cpu");
}

}  // namespace lockstep
