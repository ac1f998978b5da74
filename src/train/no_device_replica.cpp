#include "device_replica.hpp"

namespace lockstep {

/// No GPU is of use to a build without kernels (see usable_gpus), so that nobody comes here.
std::unique_ptr<Replica> make_device_replica(const ModelShape&, float, std::span<const float>,
                                             std::span<const LocalShard>, std::size_t,
                                             Communicator&, DeviceReducer*, const AdamConfig&,
                                             const Schedule&) {
  return nullptr;
}

}  // namespace lockstep
