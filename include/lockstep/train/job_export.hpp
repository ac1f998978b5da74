#pragma once

#include <cstddef>
#include <filesystem>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/train/run.hpp>

namespace lockstep {

/// What another trainer needs to take the same steps, into `folder` (made if absent):
/// start.safetensors, the weights before the first step; order.txt, a line for each of the first
/// `steps` steps with the training pictures of its batch, counted from 0 behind the validation set.
/// Collective; rank 0 writes. Throws Error (store).
void export_job(const RunConfig& config, std::size_t steps, const std::filesystem::path& folder,
                Communicator& world);

}  // namespace lockstep
