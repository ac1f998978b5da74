"""What a GPU's runs must show, tried on invented runs."""
import pathlib
import subprocess
import types
import unittest

import correctness
import machine
from runs import Run
from sanitizers import Sanitizers
from stages import Budget, Failed, NotRun, TimedOut

GPU = {"name": "NVIDIA H200", "capability": 90}
ON_GPU = "lockstep: 1 rank over one process, engine cuda (sm_90), on NVIDIA H200"
RIGHT, WRONG = "a" * 64, "b" * 64


def ended(weights=RIGHT, header=ON_GPU, code=0, err="", more=""):
    out = f"{header}\n{more}\nWeights SHA-256: {weights}\n" if code == 0 else ""
    return Run(subprocess.CompletedProcess([], code, out, err), pathlib.Path("/run"))


class Invented(unittest.TestCase):
    """`lockstep train` gives `runs` in turn, whatever it is asked for."""

    def setUp(self):
        self.asked = []

    def correctness(self, *runs, gpu=GPU):
        runs = iter(runs)

        def train(_, *words, **how):
            self.asked.append((words, how))
            return next(runs)
        tested = correctness.Correctness(types.SimpleNamespace(train=train, scratch=None), gpu)
        tested.one_epoch = RIGHT
        tested.small = pathlib.Path("/small")
        return tested

    def fails(self, text, work):
        with self.assertRaisesRegex(Failed, text):
            work(Budget(5))


class Weights(Invented):
    def test_the_same_pass(self):
        self.assertEqual(self.correctness(ended()).epoch(Budget(5)), RIGHT[:12])

    def test_others_fail(self):
        self.fails("weights bbb", self.correctness(ended(WRONG)).epoch)
        self.fails("weights bbb", self.correctness(ended(), ended(WRONG)).recipe("--hidden", 37))
        self.fails("weights aaa", self.correctness(ended()).default_run)

    def test_the_same_from_the_cpu_fail(self):
        self.fails("NVIDIA H200", self.correctness(ended(header="lockstep: engine simd")).epoch)
        self.fails("over NCCL", self.correctness(ended()).by_nccl(2))
        self.fails("not one of three", self.correctness(ended()).mixed)

    def test_a_run_that_ends_with_an_error_fails_with_its_line(self):
        self.fails("exit code 5: lockstep: rank 1 is lost",
                   self.correctness(ended(code=5, err="lockstep: rank 1 is lost\n")).epoch)
        lost = ended(code=5, err="lockstep: rank 1 is lost\n")
        self.fails("rank 1 is lost", self.correctness(ended(), lost).recipe("--hidden", 37))

    def test_ranks_may_share_the_gpu(self):
        self.correctness(ended(header=f"{ON_GPU}, sums over NCCL 2.30.7")).by_nccl(4)(Budget(5))
        self.assertEqual(self.asked[0][1]["ranks"], 4)
        self.assertEqual(self.asked[0][1]["NCCL_MULTI_RANK_GPU_ENABLE"], "1")

    def test_a_rank_may_be_killed_over_either(self):
        for header, sums in ((f"{ON_GPU}, sums over NCCL 2.30.7", "by_nccl"), (ON_GPU, "by_mpi")):
            tested = self.correctness(ended(WRONG, header=header))
            self.fails("weights bbb", getattr(tested, sums)(3, *correctness.KILL))
            self.assertIn("rank=1,step=50,kind=kill", self.asked[-1][0])

    def test_a_build_without_nccl_is_not_run(self):
        with self.assertRaisesRegex(NotRun, "--architecture 90"):
            run = ended(code=2, err="lockstep: this build has no NCCL")
            self.correctness(run).by_nccl(2)(Budget(5))

    def test_a_resumed_run_must_have_resumed(self):
        tested = self.correctness(*[ended()] * 3)
        tested.newest_checkpoint = lambda run: pathlib.Path("/run/step")
        self.fails("did not go on", tested.resume("cuda", "cpu"))


class Refusals(Invented):
    def refusal(self, **how):
        return self.correctness(ended(**how)).refusal("no GPU is visible")

    def test_one_line_with_exit_code_2_passes(self):
        line = "lockstep: --device cuda on rank 0: no GPU is visible on node7"
        self.assertEqual(self.refusal(code=2, err=line)(Budget(5)), line.removeprefix("lockstep: "))

    def test_anything_else_fails(self):
        for how in ({}, {"code": 1, "err": "lockstep: no GPU is visible"},
                    {"code": 2, "err": "lockstep: no driver"},
                    {"code": 2, "err": "lockstep: no GPU is visible\nlockstep: and more"}):
            self.fails("not 2", self.refusal(**how))

    def test_the_cpu_taken_instead_must_be_said(self):
        self.fails("does not say why", self.correctness(ended()).fallback)


class Sanitizer(Invented):
    CLEAN = "========= ERROR SUMMARY: 0 errors"

    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, machine, "find", machine.find)
        machine.find = lambda tool: f"/cuda/{tool}"

    def memcheck(self, **how):
        return self.step(self.correctness(ended(**how), ended()))

    @staticmethod
    def step(tested):
        return Sanitizers(tested).work("memcheck", "ERROR SUMMARY: 0 errors")

    def test_a_clean_step_with_the_right_weights_passes(self):
        self.assertEqual(self.memcheck(more=self.CLEAN)(Budget(5)), "ERROR SUMMARY: 0 errors")
        self.assertEqual(self.asked[0][1]["before"][:3],
                         ["/cuda/compute-sanitizer", "--tool", "memcheck"])

    def test_a_finding_fails(self):
        self.fails("7 errors", self.memcheck(code=86, err="========= ERROR SUMMARY: 7 errors"))

    def test_no_word_from_the_tool_fails(self):
        self.fails("no summary", self.memcheck())

    def test_clean_with_wrong_weights_fails(self):
        self.fails("weights bbb", self.memcheck(weights=WRONG, more=self.CLEAN))

    def test_where_it_does_not_work_it_is_not_run(self):
        for said in ("Device not supported", "Unable to attach to process", "Internal Sanitizer Error"):
            with self.assertRaisesRegex(NotRun, said[:16]):
                self.memcheck(code=1, err=f"========= Error: {said}\n{self.CLEAN}")(Budget(5))

    def test_one_that_takes_too_long_is_not_run(self):
        tested = self.correctness()

        def late(*_, **__):
            raise TimedOut("too late")
        tested.lockstep.train = late
        with self.assertRaisesRegex(NotRun, "too late"):
            self.step(tested)(Budget(5))


class WithoutGpu(Invented):
    def test_what_needs_one_is_not_run(self):
        tested = self.correctness(gpu=None)
        for work in (tested.by_nccl(1), tested.refusal("any"), Sanitizers(tested).work("memcheck", "any")):
            with self.assertRaises(NotRun):
                work(Budget(5))


if __name__ == "__main__":
    unittest.main()
