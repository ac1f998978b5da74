#include <lockstep/train/job_export.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <lockstep/core/error.hpp>
#include <lockstep/data/shards.hpp>
#include <lockstep/store/file.hpp>
#include <lockstep/train/model_file.hpp>

#include "job.hpp"

namespace lockstep {
namespace {

std::string order_lines(const ShardPlan& plan, std::size_t steps) {
  std::vector<ShardStream> streams;
  for (std::size_t shard = 0; shard < plan.shards; ++shard) streams.emplace_back(plan, shard);
  std::string lines;
  for (std::uint64_t step = 0; step < steps; ++step) {
    std::vector<std::uint32_t> pictures(plan.batch_size);
    std::span<std::uint32_t> left(pictures);
    for (std::size_t shard = 0; shard < plan.shards; ++shard) {
      const std::size_t share = plan.share(shard);
      streams[shard].pictures(step * share, left.first(share));
      left = left.subspan(share);
    }
    lines += fmt::format("{}\n", fmt::join(pictures, " "));
  }
  return lines;
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ExitCode::store, fmt::format("{}: can't be made: {}; name another folder",
                                             folder.string(), error.message()));
  }
}

}  // namespace

void export_job(const RunConfig& config, std::size_t steps, const std::filesystem::path& folder,
                Communicator& world) {
  Job job(config, world);
  agree(world, [&] {
    if (world.rank() != 0) return;
    make_folder(folder);
    Model model{.shape = job.shape(),
                .parameters = Buffer<float>(job.replica().parameters().size()),
                .seed = config.recipe.seed,
                .steps = 0,
                .data = job.dataset().name(),
                .images = job.image_style()};
    std::ranges::copy(job.replica().parameters(), model.parameters.span().begin());
    write_model(folder / "start.safetensors", model);
    write_file(folder / "order.txt", order_lines(job.shard_plan(), steps));
  });
}

}  // namespace lockstep
