#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <lockstep/comm/communicator.hpp>
#include <lockstep/train/run.hpp>

namespace lockstep {

/// One part of a step; the median of its seconds, on rank 0.
struct BenchPart {
  std::string name;
  double seconds = 0;
  double operations = 0;  // of this rank, fp32; 0 where it is not arithmetic that counts
};

/// Steps of real training, timed, beside the machine's peak in the same minutes. Peak and share are
/// of all ranks' threads together, and zero where they compute on GPUs; times are rank 0's.
struct BenchResult {
  std::string engine;
  std::string isa;
  std::string communicator;
  std::size_t ranks = 0;
  std::size_t threads = 0;           // of a rank
  double p50 = 0, min = 0, p90 = 0;  // seconds a step
  double peak_gflops = 0;            // the median of the measurements between the steps
  double best_peak_gflops = 0;
  double share_of_peak = 0;           // operations / p50 / peak
  double best_share_of_peak = 0;      // operations / min / best peak
  double samples_per_second = 0;      // batch / p50
  double first_loss = 0;              // of the first step's batch, before its update
  std::size_t steps_to_accuracy = 0;  // from the start of a training; 0: not asked or not reached
  double seconds_to_accuracy = 0;     // of these steps, evaluation left out
  // The same step without the promise of equal bits: sums in the fastest order, a float gradient
  // and all-reduce; 0 where the engine is not simd. p50 / free_order_p50 - 1 is what exactness
  // costs.
  double free_order_p50 = 0, free_order_min = 0;
  std::vector<BenchPart> parts;
  /// On GPUs: what each kernel adds to a step without the host, by events on the GPU.
  std::vector<BenchPart> kernels;
};

/// Takes `steps` steps (after some that are not counted) and measures. With `to_accuracy` > 0 then
/// trains anew until that share of the test set is right, looking every 100 steps. Collective;
/// every rank gets the result. The data set is config.data; nothing is written.
BenchResult run_bench(const RunConfig& config, std::size_t steps, double to_accuracy,
                      Communicator& world);

}  // namespace lockstep
