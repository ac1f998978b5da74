#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/core/buffer.hpp>
#include <lockstep/core/team.hpp>
#include <lockstep/model/free_order.hpp>
#include <lockstep/optim/adam.hpp>

#include "local_shard.hpp"

namespace lockstep {

/// The step as it would be without the promise of equal bits: fp32 gradients in the order that is
/// fastest, summed as floats in whatever order the communicator takes, no checksum, no fingerprint,
/// and Adam. The same work otherwise; for the bench.
class FreeOrderStep {
 public:
  FreeOrderStep(std::span<const float> parameters, std::span<LocalShard> shards,
                std::size_t batch_size, std::unique_ptr<FreeOrderEngine> engine,
                Communicator& communicator, Team& team);

  /// Collective; with the article's rate.
  void step(std::uint64_t step);

 private:
  void add_gradients(std::uint64_t step);

  std::vector<float> parameters_;
  Adam adam_;
  std::span<LocalShard> shards_;
  std::size_t batch_size_;
  std::unique_ptr<FreeOrderEngine> engine_;
  Communicator& communicator_;
  Team& team_;
  std::vector<Buffer<float>> sums_;  // of the workers
};

}  // namespace lockstep
