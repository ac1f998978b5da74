import types
import unittest

import kernels
import machine
from stages import Budget, NotRun, TimedOut

NCU = '''==PROF== Connected to process 12
lockstep: engine cuda
"ID","Process ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
"0","12","run_samples","gpu__time_duration.sum","ns","11,000"
"0","12","run_samples","launch__registers_per_thread","register/thread","124"
"1","12","run_samples","gpu__time_duration.sum","ns","13,000"
"1","12","run_samples","launch__registers_per_thread","register/thread","124"
"2","12","clip","launch__registers_per_thread","register/thread","n/a"
"2","12","clip","gpu__time_duration.sum","ns","900"
==PROF== Disconnected
'''


class Table(unittest.TestCase):
    BENCH = {"engine": "cuda", "isa": "sm_90", "step_ms": {"p50": 0.02, "min": 0.019},
             "parts_ms": {"Adam": 0.003}}

    def test_of_the_bench_is_in_microseconds(self):
        self.assertEqual(kernels.parts(self.BENCH | {"kernels_us": {"clip": 1.5}}), [
            {"part": "a step, p50", "us": 20}, {"part": "a step, least", "us": 19},
            {"part": "Adam", "us": 3}, {"part": "kernel clip", "us": 1.5}])
        self.assertEqual(len(kernels.parts(self.BENCH)), 3)

    def test_of_ncu_has_a_row_for_each_kernel_with_its_medians(self):
        rows = kernels.kernels(NCU)
        self.assertEqual(rows[0], {"kernel": "run_samples", "launches": 2, "us": 12,
                                   "registers": 124, "% of peak": "-"})
        self.assertEqual((rows[1]["kernel"], rows[1]["us"]), ("clip", 0.9))
        self.assertEqual(kernels.kernels("==ERROR== LibraryNotLoaded\n"), [])


class Profile(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, machine, "find", machine.find)
        machine.find = lambda tool: f"/cuda/{tool}"

    def profile(self, train):
        lockstep = types.SimpleNamespace(train=train)
        budget = Budget(5)
        kernels.Kernels(types.SimpleNamespace(gpu={"name": "NVIDIA H100"}, small="/small",
                                              lockstep=lockstep)).profile(budget)
        return budget.rows

    def test_keeps_its_rows(self):
        run = types.SimpleNamespace(out=NCU, err="")
        self.assertEqual(len(self.profile(lambda *_, **__: run)), 2)

    def test_that_does_not_work_is_not_run(self):
        run = types.SimpleNamespace(out="", err="==ERROR== LibraryNotLoaded\n")
        with self.assertRaisesRegex(NotRun, "LibraryNotLoaded"):
            self.profile(lambda *_, **__: run)

        def late(*_, **__):
            raise TimedOut("too late")
        with self.assertRaisesRegex(NotRun, "too late"):
            self.profile(late)


if __name__ == "__main__":
    unittest.main()
