#include <lockstep/train/bench.hpp>
#include <lockstep/train/job_export.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "output.hpp"

namespace lockstep {
namespace {

constexpr double milli = 1e3;
constexpr double micro = 1e6;

std::string as_json(const BenchResult& r) {
  nlohmann::ordered_json json{
      {"engine", r.engine},
      {"isa", r.isa},
      {"communicator", r.communicator},
      {"ranks", r.ranks},
      {"threads", r.threads},
      {"step_ms", {{"p50", r.p50 * milli}, {"min", r.min * milli}, {"p90", r.p90 * milli}}},
      {"fma_peak_gflops", r.peak_gflops},
      {"share_of_peak", r.share_of_peak},
      {"best_share_of_peak", r.best_share_of_peak},
      {"samples_per_second", r.samples_per_second},
      {"first_loss", r.first_loss}};
  if (r.steps_to_accuracy > 0) {
    json["to_accuracy"] = {{"steps", r.steps_to_accuracy}, {"seconds", r.seconds_to_accuracy}};
  }
  if (r.free_order_p50 > 0) {
    json["free_order_step_ms"] = {{"p50", r.free_order_p50 * milli},
                                  {"min", r.free_order_min * milli}};
    json["cost_of_exactness"] = {{"p50", r.p50 / r.free_order_p50 - 1},
                                 {"min", r.min / r.free_order_min - 1}};
  }
  for (const BenchPart& part : r.parts) json["parts_ms"][part.name] = part.seconds * milli;
  for (const BenchPart& kernel : r.kernels)
    json["kernels_us"][kernel.name] = kernel.seconds * micro;
  return json.dump(2) + "\n";
}

std::string part_row(const BenchPart& part, const BenchResult& r) {
  std::string row = fmt::format("  {:<32} {:>9.4f} {:>6.1f} %", part.name, part.seconds * milli,
                                100 * part.seconds / r.p50);
  if (part.operations > 0) {
    const double gflops = part.operations / part.seconds * 1e-9;
    const double peak = r.peak_gflops / static_cast<double>(r.ranks);
    row += fmt::format(" {:>9.1f} {:>8.1f} %", gflops, 100 * gflops / peak);
  }
  return row + "\n";
}

std::string kernel_table(const std::vector<BenchPart>& kernels) {
  if (kernels.empty()) return "";
  std::string text =
      fmt::format("  {:<32} {:>9} {:>8}\n", "kernel (p50, without the host)", "us", "of all");
  double all = 0;
  for (const BenchPart& kernel : kernels) all += kernel.seconds;
  for (const BenchPart& kernel : kernels) {
    text += fmt::format("  {:<32} {:>9.2f} {:>6.1f} %\n", kernel.name, kernel.seconds * micro,
                        100 * kernel.seconds / all);
  }
  return text + fmt::format("  {:<32} {:>9.2f}\n", "all", all * micro);
}

std::string as_table(const BenchResult& r) {
  std::string text = fmt::format(
      "engine {} ({}), {} x {} threads over {}\n"
      "step        p50 {:.3f} ms, min {:.3f}, p90 {:.3f}; {:.0f} samples a second\n",
      r.engine, r.isa, r.ranks, r.threads, r.communicator, r.p50 * milli, r.min * milli,
      r.p90 * milli, r.samples_per_second);
  if (r.peak_gflops > 0) {
    text += fmt::format(
        "FMA peak    {:.1f} GFLOP/s (all threads, median in this run), best {:.1f}\n"
        "share       {:.1f} % of the peak (p50), {:.1f} % (min of best)\n",
        r.peak_gflops, r.best_peak_gflops, 100 * r.share_of_peak, 100 * r.best_share_of_peak);
  }
  if (r.free_order_p50 > 0) {
    text += fmt::format(
        "exactness   costs {:+.1f} % (p50), {:+.1f} % (min): in free order, with a float gradient, "
        "p50 {:.3f} ms, min {:.3f}\n",
        100 * (r.p50 / r.free_order_p50 - 1), 100 * (r.min / r.free_order_min - 1),
        r.free_order_p50 * milli, r.free_order_min * milli);
  }
  text += fmt::format("  {:<32} {:>9} {:>8} {:>9} {:>10}\n", "part (p50, rank 0)", "ms", "of p50",
                      "GFLOP/s", "of peak");
  for (const BenchPart& part : r.parts) text += part_row(part, r);
  text += kernel_table(r.kernels);
  if (r.steps_to_accuracy > 0) {
    text += fmt::format("accuracy    reached after {} steps, {:.2f} s\n", r.steps_to_accuracy,
                        r.seconds_to_accuracy);
  }
  return text;
}

}  // namespace

void run_bench_command(const Options& options, Communicator& world) {
  if (!options.export_folder.empty()) {
    return export_job(options.run, options.steps, options.export_folder, world);
  }
  const BenchResult result = run_bench(options.run, options.steps, options.to_accuracy, world);
  if (world.rank() == 0) print(options.json ? as_json(result) : as_table(result));
}

}  // namespace lockstep
