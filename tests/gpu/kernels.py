"""Where a step's time goes: by lockstep's own clock, and by NVIDIA's Nsight Compute."""
import csv
import json
import re
from statistics import median

import machine
from report import STEPS_PER_EPOCH
from stages import NotRun, TimedOut, last_line

METRICS = {"gpu__time_duration.sum": "us", "launch__registers_per_thread": "registers",
           "sm__throughput.avg.pct_of_peak_sustained_elapsed": "% of peak"}


class Kernels:
    def __init__(self, correctness):
        self.correctness, self.gpu = correctness, correctness.gpu
        self.lockstep = correctness.lockstep

    def bench(self, budget):
        bench = json.loads(budget.succeed(*self.lockstep.command(None, [
            "bench", "--json", "--device", self.lockstep.device, "--data", self.lockstep.data,
            "--steps", 10 * STEPS_PER_EPOCH if self.gpu else 100])))
        budget.rows += parts(bench)
        return f"{bench['engine']} {bench['isa']}: {1e3 * bench['step_ms']['p50']:.2f} us a step"

    def profile(self, budget):
        """It measures only, so where it does not work nothing has failed."""
        ncu = machine.find("ncu")
        if not self.gpu or not ncu:
            raise NotRun("no ncu here" if self.gpu else "a rehearsal has no GPU")
        try:
            run = self.lockstep.train(budget, "--epochs", 1, data=self.correctness.small, before=[
                ncu, "--clock-control", "none", "--graph-profiling", "node", "--csv", "--print-units",
                "base", "--print-kernel-base", "function", "--metrics", ",".join(METRICS)])
        except TimedOut as why:
            raise NotRun(str(why)) from None
        budget.rows += kernels(run.out)
        if not budget.rows:
            raise NotRun(f"ncu shows no kernel: {last_line(run.err or run.out)}")
        return f"{sum(row['launches'] for row in budget.rows)} launches"

    def stages(self):
        """(stage, its seconds, work), by lockstep's clock and by the profiler."""
        return (("kernels: where a step's time goes", 40, self.bench),
                ("kernels: Nsight Compute", 60, self.profile))


def parts(bench):
    """The rows of a `lockstep bench --json`."""
    step = bench["step_ms"]
    named = {"a step, p50": 1e3 * step["p50"], "a step, least": 1e3 * step["min"]}
    named |= {name: 1e3 * each for name, each in (bench.get("parts_ms") or {}).items()}
    named |= {f"kernel {name}": each for name, each in (bench.get("kernels_us") or {}).items()}
    return [{"part": name, "us": round(each, 3)} for name, each in named.items()]


def kernels(printed):
    """ncu's table, a row for each kernel: medians of its launches."""
    lines = printed.splitlines()
    head = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), len(lines))
    launches = {}
    for row in csv.DictReader(line for line in lines[head:] if line.startswith('"')):
        name, metric = row["Kernel Name"], METRICS.get(row["Metric Name"])
        value = row["Metric Value"].replace(",", "")
        if metric and re.fullmatch(r"[\d.]+", value):  # it has no figure for some
            in_units = float(value) / (1e3 if row["Metric Unit"] in ("ns", "nsecond") else 1)
            launches.setdefault(name, {}).setdefault(metric, []).append(in_units)
    return [{"kernel": name, "launches": max(map(len, found.values())),
             **{metric: round(median(found[metric]), 2) if metric in found else "-"
                for metric in METRICS.values()}}
            for name, found in launches.items()]
