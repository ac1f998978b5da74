#pragma once

#include <memory>
#include <span>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/comm/device_reducer.hpp>
#include <lockstep/model/shape.hpp>
#include <lockstep/optim/adam.hpp>
#include <lockstep/optim/schedule.hpp>

#include "local_shard.hpp"
#include "replica.hpp"

namespace lockstep {

/// The replica in the memory of the GPU that is current, with the bits of HostReplica: a step is
/// one launch. `limit` as in EngineConfig. The gradients are summed by `reducer`, which outlives
/// the replica, or where it is null by the communicator, from memory of the host. Throws Error
/// (usage) for a shape that the kernels don't take, Error (internal) where the GPU fails.
std::unique_ptr<Replica> make_device_replica(const ModelShape& shape, float limit,
                                             std::span<const float> parameters,
                                             std::span<const LocalShard> shards,
                                             std::size_t batch_size, Communicator& communicator,
                                             DeviceReducer* reducer, const AdamConfig& adam,
                                             const Schedule& schedule);

}  // namespace lockstep
