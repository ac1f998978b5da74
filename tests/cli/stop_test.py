import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from program import LOCKSTEP, MPIRUN, ProgramTest, needs_mpi

LONG = ["train", "--data", "synthetic", "--epochs", "10000", "--hidden", "8", "--batch-size", "16",
        "--no-progress"]


class Stop(ProgramTest):
    """A request to stop ends all ranks with a whole model and exit code 75."""

    def begin(self, *launcher):
        """The program at work: it has printed its first epoch."""
        process = subprocess.Popen([*launcher, LOCKSTEP, *LONG, "--out", self.folder / "run"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if "Epoch: 1," in line:
                return process
        self.fail(process.stderr.read())

    def assert_stopped(self, code, process):
        out, error = process.communicate(timeout=60)
        self.assertEqual(code, 75, error)
        self.assertEqual(self.files("run").count("model.safetensors"), 1)
        self.assertNotIn("summary.json", self.files("run"))
        model = self.succeed("inspect", "--model", self.folder / "run")
        return out, model

    def test_on_a_signal(self):
        for number in [signal.SIGINT, signal.SIGTERM]:
            with self.subTest(number):
                process = self.begin()
                process.send_signal(number)
                out, model = self.assert_stopped(process.wait(60), process)
                last = out.splitlines()[-1]
                self.assertIn("Weights SHA-256: ", last)
                self.assertIn(last.split()[-1], model)

    def test_asked_by_several_ways_at_once(self):
        process = self.begin()
        for number in [signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM]:
            process.send_signal(number)
            time.sleep(0.01)
        self.assert_stopped(process.wait(60), process)

    def test_a_second_ctrl_c_ends_it_at_once(self):
        process = self.begin()
        process.send_signal(signal.SIGSTOP)  # both are there before it can stop by itself
        for number in [signal.SIGTERM, signal.SIGINT]:
            process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        process.communicate()

    def test_when_nobody_reads_any_more(self):
        process = self.begin()
        process.stdout.close()
        code = process.wait(60)
        error = process.stderr.read()
        process.stderr.close()
        self.assertEqual((code, error), (75, ""))
        self.succeed("inspect", "--model", self.folder / "run")

    @needs_mpi
    def test_of_one_rank_stops_all_together(self):
        process = self.begin(MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
                             "-n", "2")
        ranks = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(ranks[-1]), signal.SIGTERM)
        out, model = self.assert_stopped(process.wait(60), process)
        self.assertIn(re.search("Weights SHA-256: ([0-9a-f]{64})", out)[1], model)


if __name__ == "__main__":
    unittest.main()
