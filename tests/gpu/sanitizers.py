"""No wrong access and no race: a step under NVIDIA's compute-sanitizer."""
import re

import machine
from stages import Failed, NotRun, TimedOut

ONE_EPOCH = ("--epochs", 1)
# What it says, or makes the program say, where the machine does not let it work.
BARRED = re.compile(r"Device not supported|Unable to attach|[Ff]ailed to (attach|initialize)|LibraryNotLoaded"
                    r"|Internal Sanitizer Error|insufficient permission|no GPU is visible")


class Sanitizers:
    def __init__(self, correctness):
        self.correctness, self.gpu = correctness, correctness.gpu
        self.lockstep = correctness.lockstep

    def step(self, budget, tool):
        """The ended run under it; NotRun where it cannot work."""
        program = machine.find("compute-sanitizer")
        if not self.gpu or not program:
            raise NotRun("no compute-sanitizer here" if self.gpu else "a rehearsal has no GPU")
        try:
            run = self.lockstep.train(budget, *ONE_EPOCH, data=self.correctness.small,
                                      before=[program, "--tool", tool, "--error-exitcode", 86])
        except TimedOut as why:
            raise NotRun(str(why)) from None
        barred = BARRED.search(run.out + run.err)
        if barred:
            raise NotRun(f"compute-sanitizer does not work here: {barred[0]}")
        return run

    def work(self, tool, clean):
        """`clean` is the tool's summary that names no finding."""
        def work(budget):
            run = self.step(budget, tool)
            said = [line for line in (run.out + run.err).splitlines() if line.startswith("=====")]
            if not any(clean in line for line in said):
                raise Failed("; ".join(said[-3:]) or f"no summary: {run.err.strip()}")
            expected = self.lockstep.train(budget, *ONE_EPOCH, device="cpu",
                                           data=self.correctness.small).weights
            self.correctness.expect_weights(run, expected)
            self.correctness.expect_device(run)
            return said[-1].strip("= ")
        return work

    def stages(self):
        """(stage, its seconds, work)."""
        yield "compute-sanitizer memcheck", 60, self.work("memcheck", "ERROR SUMMARY: 0 errors")
        yield "compute-sanitizer racecheck", 90, self.work("racecheck", "RACECHECK SUMMARY: 0 hazards")
