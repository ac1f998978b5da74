"""Injected faults: no wrong weights with exit code 0, and no error that other ranks take for a loss."""

import re
import unittest

from program import ProgramTest, lockstep, needs_mpi, needs_ulfm, read_json

STEPS = 42
RUN = ["train", "--no-progress", "--data", "synthetic", "--epochs", 1, "--hidden", 16, "--threads", 1,
       "--checkpoint-every", 10]
ULFM = ("--with-ft", "ulfm")
# At a checkpoint's step, at the last but one, and at the last, which is one too.
FLIPS = [f"rank=0,step={step},kind={kind}" for step in (10, STEPS - 1, STEPS)
         for kind in ("flip", "flip-moment")]


def weights(text):
    return re.findall("Weights SHA-256: ([0-9a-f]{64})", text)


class FaultTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"
        [self.expected] = weights(self.succeed(*RUN, "--out", self.folder / "undisturbed"))

    def faulty(self, fault, **how):
        self.out = self.folder / f"{fault}-{how['ranks']}"
        return lockstep(*RUN, "--out", self.out, "--inject", fault, **how)

    @needs_ulfm
    def test_a_flip_at_a_checkpoint_or_at_the_end_changes_no_bit(self):
        for ranks in (2, 3, 4):
            for flip in FLIPS:
                with self.subTest(ranks=ranks, flip=flip):
                    ended = self.faulty(flip, ranks=ranks, flags=ULFM)
                    self.assertEqual(ended.returncode, 0, ended.stderr)
                    self.assertEqual(weights(ended.stdout), [self.expected])
                    self.assertIn("differed after step", ended.stdout)
                    summary = read_json(self.out / "summary.json")
                    self.assertEqual(summary["weights_sha256"], self.expected)
                    said = self.succeed("inspect", "--model", self.out / "model.safetensors")
                    self.assertIn(self.expected, said)

    @needs_mpi
    def test_a_flip_ends_ranks_that_cannot_recover_and_leaves_no_wrong_checkpoint(self):
        for flip in FLIPS:
            with self.subTest(flip=flip):
                ended = self.faulty(flip, ranks=2)
                self.assertEqual(ended.returncode, 5, ended.stdout + ended.stderr)
                self.assertFalse((self.out / "model.safetensors").exists())
                out = self.succeed(*RUN, "--out", self.out)
                self.assertEqual(weights(out), [self.expected])

    def assert_ends_with_the_error(self, fault, **how):
        ended = self.faulty(fault, **how)
        self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
        self.assertEqual(ended.stderr.count("lockstep: an injected error"), 1, ended.stderr)
        self.assertFalse((self.out / "summary.json").exists())
        self.assertNotIn("Lost rank", ended.stdout.replace("Lost ranks: ", ""))

    @needs_ulfm
    def test_an_error_of_one_rank_ends_all_where_ranks_may_be_lost(self):
        for ranks in (2, 3, 4):
            for fault in ("rank=0,step=1,kind=error", f"rank=1,step={STEPS},kind=error"):
                with self.subTest(ranks=ranks, fault=fault):
                    self.assert_ends_with_the_error(fault, ranks=ranks, flags=ULFM)

    @needs_mpi
    def test_an_error_of_one_rank_ends_all_where_no_rank_may_be_lost(self):
        self.assert_ends_with_the_error("rank=1,step=5,kind=error", ranks=3)


if __name__ == "__main__":
    unittest.main()
