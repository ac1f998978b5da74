"""Runs that are stopped, killed or kept out, and what goes on from their checkpoints."""

import json
import os
import re
import shutil
import signal
import unittest

from program import (ProgramTest, children, compress, lockstep, needs_mpi, read_idx, read_json,
                     write_idx)

EPOCHS = 30  # of 343 steps of a tenth of a millisecond: long enough to be met at work
RUN = ["train", "--data", "synthetic", "--epochs", EPOCHS, "--hidden", 96, "--batch-size", 16,
       "--shards", 4, "--learning-rate", 1e-4, "--no-progress", "--checkpoint-every", 50]


class CheckpointTest(ProgramTest):
    unbroken = None

    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"

    def begin_run(self, **how):
        """A run at work that has written a checkpoint."""
        return self.begin_checkpointed(self.run_folder, *RUN, **how)

    def go_on(self, *words, folder=None, **how):
        return self.succeed(*RUN, "--out", folder or self.run_folder, *words, **how)

    def expected(self):
        """The hash of the run that nothing happens to."""
        if not CheckpointTest.unbroken:
            CheckpointTest.unbroken = self.go_on(folder=self.folder / "unbroken").split()[-1]
        return CheckpointTest.unbroken

    def assert_whole(self, out, restarts, folder=None):
        """The run has come to the expected hash, and its curves have every step once."""
        folder = folder or self.run_folder
        self.assertEqual(out.split()[-1], self.expected())
        summary = read_json(folder / "summary.json")
        self.assertEqual((summary["weights_sha256"], summary["restarts"]),
                         (self.expected(), restarts))
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        steps = [row["step"] for row in rows if row["kind"] == "step"]
        self.assertEqual(steps, list(range(1, EPOCHS * 343 + 1)))
        epochs = [row["epoch"] for row in rows if row["kind"] == "epoch"]
        self.assertEqual(epochs, list(range(1, EPOCHS + 1)))
        csv = (folder / "metrics.csv").read_text().splitlines()
        self.assertEqual([line.split(",")[0] for line in csv[1:]], [row["kind"] for row in rows])

    def checkpoints(self, folder=None):
        return sorted(((folder or self.run_folder) / "checkpoints").iterdir())


class Resume(CheckpointTest):
    def test_after_a_stop(self):
        process = self.begin_run()
        process.terminate()
        self.assertEqual(process.wait(60), 75)
        self.assert_whole(self.go_on("--threads", 2), restarts=1)

    @needs_mpi
    def test_after_a_stop_of_two_ranks_goes_on_at_any_size(self):
        process = self.begin_run(ranks=2)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(60), 75)
        for words, ranks in [(["--threads", 3], 1), (["--evaluate", "all"], 3), ([], 4)]:
            copy = self.folder / f"by{ranks}"
            shutil.copytree(self.run_folder, copy)
            out = self.go_on(*words, folder=copy, ranks=ranks)
            self.assert_whole(out, 1, copy)

    def test_after_three_kills(self):
        for _ in range(3):
            process = self.begin_run()
            process.kill()
            self.assertEqual(process.wait(60), -signal.SIGKILL)
        out = self.go_on()
        self.assertIn("Going on after step ", out)
        self.assert_whole(out, restarts=3)

    @needs_mpi
    def test_after_a_kill_of_all_ranks(self):
        process = self.begin_run(ranks=2)
        for rank in children(process):
            os.kill(rank, signal.SIGKILL)
        process.wait(60)
        self.assertNotIn("summary.json", self.files("run"))
        self.assert_whole(self.go_on(ranks=3), restarts=1)

    def test_takes_the_checkpoint_before_a_damaged_one(self):
        process = self.begin_run()
        process.terminate()
        process.wait(60)
        older, newest = self.checkpoints()[-2:]
        content = bytearray(newest.read_bytes())
        content[len(content) // 2] ^= 4
        newest.write_bytes(content)
        out = self.go_on()
        self.assertEqual(out.count("Warning: "), 1, out)
        self.assertIn(newest.name, out)
        self.assertIn(f"Going on after step {int(re.search(r'[0-9]+', older.name)[0])} of", out)
        self.assert_whole(out, restarts=1)

    def test_a_checkpoint_is_a_model_to_look_at(self):
        process = self.begin_run()
        process.terminate()
        process.wait(60)
        text = self.succeed("inspect", "--model", self.checkpoints()[0])
        self.assertIn("exp_avg_sq.head.bias", text)


class Rehearsal(CheckpointTest):
    """--inject of what happens to files."""

    def torn(self, ranks):
        """What a torn checkpoint and the death of all ranks is in --inject. The steps before are
        slow, so that checkpoints are on disk to be torn."""
        faults = ["rank=0,step=650,kind=slow", "rank=0,step=799,kind=torn-checkpoint"]
        return ":".join(faults + [f"rank={rank},step=800,kind=kill" for rank in range(ranks)])

    def assert_goes_on_before_the_torn_one(self, **how):
        older, newest = self.checkpoints()[-2:]
        out = self.go_on(**how)
        self.assertEqual(out.count("Warning: "), 1, out)
        self.assertRegex(out, f"Warning: a damaged checkpoint is left out: .*{newest.name}")
        self.assertIn(f"Going on after step {int(re.search(r'[0-9]+', older.name)[0])} of", out)
        self.assert_whole(out, restarts=1)

    def test_of_a_torn_checkpoint_costs_what_came_after_the_one_before(self):
        ended = lockstep(*RUN, "--out", self.run_folder, "--inject", self.torn(1))
        self.assertEqual(ended.returncode, -signal.SIGKILL, ended.stderr)
        self.assert_goes_on_before_the_torn_one()

    @needs_mpi
    def test_of_a_torn_checkpoint_on_two_ranks_that_go_on_as_three(self):
        lockstep(*RUN, "--out", self.run_folder, "--inject", self.torn(2), ranks=2)
        self.assertNotIn("summary.json", self.files("run"))
        self.assert_goes_on_before_the_torn_one(ranks=3)

    def assert_disk_full(self, ranks):
        ended = self.fail_with(6, "model.safetensors", *RUN, "--out", self.run_folder, "--inject",
                               "rank=0,step=8999,kind=full-disk", ranks=ranks)
        warnings = re.findall(r"Warning: (\w+) not being saved, training goes on", ended.stdout)
        self.assertEqual(sorted(warnings), ["checkpoints", "metrics"], ended.stdout)
        self.assertEqual(ended.stdout.split()[-1], self.expected())
        self.assertNotIn("summary.json", self.files("run"))
        out = self.go_on()
        self.assertNotIn("Warning", out)
        self.assertLess(int(re.search(r"Going on after step (\d+) of", out)[1]), 9000)
        self.assert_whole(out, restarts=1)

    def test_of_a_full_disk_is_told_while_training_goes_on_and_made_good_later(self):
        self.assert_disk_full(ranks=0)

    @needs_mpi
    def test_of_a_full_disk_is_the_failure_of_all_ranks(self):
        self.assert_disk_full(ranks=2)


class Refusal(CheckpointTest):
    def stopped(self, *words):
        process = self.begin(*RUN, *words, "--out", self.run_folder, until="Epoch: 1,")
        process.terminate()
        self.assertEqual(process.wait(60), 75)

    @needs_mpi
    def test_of_options_that_would_change_the_bits(self):
        self.stopped()
        before = self.files("run")
        words = [*RUN, "--out", self.run_folder, "--seed", 9, "--warmup-steps", 4]
        for ranks in [0, 3]:
            self.fail_with(2, "--seed is 9, was 1; --warmup-steps is 4, was 0:", *words,
                           ranks=ranks)
        self.assertEqual(self.files("run"), before)
        self.succeed(*words, "--resume", "never")

    def test_of_other_training_data(self):
        digits = self.made_digits()
        self.stopped("--data", digits)
        compress(digits / "train-images-idx3-ubyte")  # the same data, and another file
        go_on = [*RUN, "--data", digits, "--out", self.run_folder]
        self.succeed(*go_on)
        (self.run_folder / "summary.json").unlink()
        (count,), labels = read_idx(digits / "train-labels-idx1-ubyte")
        write_idx(digits / "train-labels-idx1-ubyte", (count,), labels[::-1])
        self.fail_with(3, str(digits), *go_on)

    def test_of_a_second_run_in_the_folder_while_the_first_lives(self):
        process = self.begin_run()
        self.fail_with(6, f"in use by process {process.pid} on ", *RUN, "--out", self.run_folder)
        self.fail_with(6, f"in use by process {process.pid} on ", *RUN, "--out", self.run_folder,
                       "--resume", "never")
        process.kill()
        process.wait(60)
        self.assertIn(str(process.pid), (self.run_folder / "lock").read_text())
        self.assert_whole(self.go_on(), restarts=1)

    def test_of_a_file_that_is_no_checkpoint(self):
        self.fail_with(6, "nothing", *RUN, "--out", self.run_folder, "--resume",
                       self.folder / "nothing")


if __name__ == "__main__":
    unittest.main()
