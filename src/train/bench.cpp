#include <lockstep/train/bench.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include <lockstep/core/clock.hpp>
#include <lockstep/model/peak.hpp>

#include "free_order_step.hpp"
#include "job.hpp"

namespace lockstep {
namespace {

constexpr std::size_t warm_up_steps = 20;
constexpr std::size_t steps_in_a_row = 10;          // then the peak, and as many in free order
constexpr std::size_t steps_in_a_row_on_gpus = 64;  // for which there is neither
constexpr std::size_t most_timed_launches = 25;
constexpr std::size_t steps_between_evaluations = 100;

double quantile(std::vector<double> values, double q) {
  const auto place = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + place);
  return values[static_cast<std::size_t>(place)];
}

/// The peak of all threads of all ranks at the same time, but for those that compute on a GPU.
/// Collective.
double measure_peak(Job& job, const RunConfig& config, Communicator& world) {
  std::vector<double> peaks(job.team().size());
  world.barrier();
  if (job.host_replica()) {
    job.team().run(
        [&](std::size_t worker) { peaks[worker] = measure_fma_peak(config.engine.isa); });
  }
  std::int64_t megaflops = 0;
  for (const double peak : peaks) megaflops += std::llround(peak * 1e3);
  world.all_reduce({&megaflops, 1});
  return static_cast<double>(megaflops) * 1e-3;
}

double timed(const std::function<void()>& work) {
  const double begin = seconds_now();
  work();
  return seconds_now() - begin;
}

/// Null where the engine is not `simd`, which it is compared with.
std::unique_ptr<FreeOrderStep> make_free_order(Job& job, const RunConfig& config,
                                               Communicator& world) {
  if (job.engine() != "simd") return nullptr;
  EngineConfig engine = config.engine;
  engine.workers = job.team().size();
  return std::make_unique<FreeOrderStep>(
      job.replica().parameters(), job.host_replica()->shards(), config.recipe.batch_size,
      make_free_order_engine(engine, job.shape()), world, job.team());
}

StepSeconds difference(StepSeconds a, const StepSeconds& b) {
  a.engine.forward -= b.engine.forward;
  a.engine.backward -= b.engine.backward;
  a.engine.gradient -= b.engine.gradient;
  a.compute -= b.compute;
  a.seal -= b.seal;
  a.all_reduce -= b.all_reduce;
  a.verify -= b.verify;
  a.adam -= b.adam;
  a.load -= b.load;
  return a;
}

/// Of one step, which took `total` seconds.
std::vector<BenchPart> parts(const StepSeconds& s, const ModelShape& shape, double samples,
                             double total) {
  const auto [rows, columns, hidden, classes] = shape;
  const auto macs = [&](std::size_t n) { return 2.0 * samples * static_cast<double>(n); };
  const double input = macs(rows * columns * hidden);
  const double recurrent = macs((rows - 1) * hidden * hidden);
  const double head = macs(hidden * classes);
  const EngineSeconds& engine = s.engine;
  const double in_engine = engine.forward + engine.backward + engine.gradient;
  const double named = s.compute + s.seal + s.all_reduce + s.verify + s.adam + s.load;
  return {{"forward", engine.forward, input + recurrent + head},
          {"backward", engine.backward, recurrent + head},
          {"weight gradient, fixed point", engine.gradient, input + recurrent + head},
          {"batches, waiting among threads", s.compute - in_engine, 0},
          {"sums of threads, checksum", s.seal, 0},
          {"all-reduce, waiting for ranks", s.all_reduce, 0},
          {"verification", s.verify, 0},
          {"Adam", s.adam, 0},
          {"packing, fingerprint", s.load, 0},
          {"rest", total - named, 0}};
}

/// Of one step on a GPU, as it measures them itself.
std::vector<BenchPart> parts_on_gpu(const RankReport& step, double total) {
  return {{"gradient", step.compute_seconds, 0},
          {"all-reduce, Adam, verification", step.reduce_seconds, 0},
          {"launch, host", total - step.compute_seconds - step.reduce_seconds, 0}};
}

/// Takes a step, on a GPU with those up to `until`, and measures: the whole, and what it returns.
std::vector<BenchPart> timed_step(Job& job, std::uint64_t step, std::uint64_t until, double samples,
                                  double& seconds) {
  const HostReplica* host = job.host_replica();
  const StepSeconds before = host ? host->seconds() : StepSeconds{};
  double share = 0;
  seconds = timed([&] { share = job.replica().step(step, {.until = until}).seconds; });
  if (share > 0) seconds = share;
  if (!host) return parts_on_gpu(job.replica().last_step(), seconds);
  return parts(difference(host->seconds(), before), job.shape(), samples, seconds);
}

/// The median of each part by itself.
std::vector<BenchPart> medians(const std::vector<std::vector<BenchPart>>& steps) {
  std::vector<BenchPart> result = steps.front();
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::vector<double> seconds;
    for (const auto& step : steps) seconds.push_back(step[i].seconds);
    result[i].seconds = quantile(std::move(seconds), 0.5);
  }
  return result;
}

void train_to(double accuracy, const RunConfig& config, Communicator& world, BenchResult& result) {
  Job job(config, world);
  std::vector<float> probabilities;
  double seconds = 0;
  for (std::uint64_t step = 1; step <= job.plan().total_steps(); ++step) {
    const double begin = seconds_now();
    job.replica().step(step, {});
    seconds += seconds_now() - begin;
    if (step % steps_between_evaluations != 0) continue;
    const Score test = job.evaluator().test(job.replica(), probabilities, job.shape().classes);
    if (test.accuracy < accuracy) continue;
    result.steps_to_accuracy = step;
    result.seconds_to_accuracy = seconds;
    return;
  }
}

}  // namespace

BenchResult run_bench(const RunConfig& config, std::size_t steps, double to_accuracy,
                      Communicator& world) {
  Job job(config, world);
  std::vector<double> times;
  std::vector<double> peaks;
  std::uint64_t step = 1;
  const StepOutcome first = job.replica().step(step, {});
  while (step < warm_up_steps) job.replica().step(++step, {});
  const auto batch = static_cast<double>(config.recipe.batch_size);
  std::vector<std::vector<BenchPart>> step_parts;
  std::vector<double> free_times;
  std::unique_ptr<FreeOrderStep> free_order = make_free_order(job, config, world);
  const std::size_t in_a_row = job.all_on_gpus() ? steps_in_a_row_on_gpus : steps_in_a_row;
  while (times.size() < steps) {
    peaks.push_back(measure_peak(job, config, world));
    const std::uint64_t last = step + std::min(in_a_row, steps - times.size());
    const std::uint64_t first_of_row = step;
    while (step < last) {
      step_parts.push_back(timed_step(job, ++step, last, batch / static_cast<double>(world.size()),
                                      times.emplace_back()));
    }
    if (!free_order) continue;
    for (std::uint64_t s = first_of_row; s < last;) {
      free_times.push_back(timed([&] { free_order->step(++s); }));
    }
  }
  BenchResult r;
  r.engine = job.engine();
  r.isa = job.isa();
  r.communicator = world.description();
  r.ranks = world.size();
  r.threads = job.team().size();
  r.p50 = quantile(times, 0.5);
  r.min = std::ranges::min(times);
  r.p90 = quantile(times, 0.9);
  r.peak_gflops = quantile(peaks, 0.5);
  r.best_peak_gflops = std::ranges::max(peaks);
  const double operations = step_operations(job.shape(), config.recipe.batch_size) * 1e-9;
  if (free_order) {
    r.free_order_p50 = quantile(free_times, 0.5);
    r.free_order_min = std::ranges::min(free_times);
  }
  if (r.peak_gflops > 0) {
    r.share_of_peak = operations / r.p50 / r.peak_gflops;
    r.best_share_of_peak = operations / r.min / r.best_peak_gflops;
  }
  r.samples_per_second = batch / r.p50;
  r.first_loss = loss_from_fixed(first.tally.loss) / batch;
  r.parts = medians(step_parts);
  const std::size_t launches =
      std::clamp<std::size_t>(steps / steps_in_a_row_on_gpus, 1, most_timed_launches);
  for (const PartSeconds& part : job.replica().time_parts(launches)) {
    r.kernels.push_back({part.name, part.seconds, 0});
  }
  if (to_accuracy > 0) train_to(to_accuracy, config, world, r);
  return r;
}

}  // namespace lockstep
