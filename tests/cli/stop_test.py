import os
import re
import signal
import time
import unittest

from program import ProgramTest, children, needs_mpi

LONG = ["train", "--data", "synthetic", "--epochs", "10000", "--hidden", "8", "--batch-size", "16",
        "--no-progress"]


class Stop(ProgramTest):
    """A request to stop ends all ranks with a checkpoint, a model and exit code 75."""

    def begin_long(self, **how):
        return self.begin(*LONG, "--out", self.folder / "run", until="Epoch: ", **how)

    def assert_stopped(self, code, process):
        out, error = process.communicate(timeout=60)
        self.assertEqual(code, 75, error)
        self.assertEqual(self.files("run").count("model.safetensors"), 1)
        self.assertNotEqual(self.files("run/checkpoints"), [])
        self.assertNotIn("summary.json", self.files("run"))
        model = self.succeed("inspect", "--model", self.folder / "run")
        return out, model

    def test_on_a_signal(self):
        for number in [signal.SIGINT, signal.SIGTERM]:
            with self.subTest(number):
                process = self.begin_long()  # the second one goes on from the first
                process.send_signal(number)
                out, model = self.assert_stopped(process.wait(60), process)
                last = out.splitlines()[-1]
                self.assertIn("Weights SHA-256: ", last)
                self.assertIn(last.split()[-1], model)

    def test_asked_by_several_ways_at_once(self):
        process = self.begin_long()
        for number in [signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM]:
            process.send_signal(number)
            time.sleep(0.01)
        self.assert_stopped(process.wait(60), process)

    def test_when_nobody_reads_any_more(self):
        process = self.begin_long()
        process.stdout.close()
        code = process.wait(60)
        self.assertEqual((code, process.stderr.read()), (75, ""))
        self.succeed("inspect", "--model", self.folder / "run")

    @needs_mpi
    def test_of_one_rank_stops_all_together(self):
        process = self.begin_long(ranks=2)
        os.kill(children(process)[-1], signal.SIGTERM)
        out, model = self.assert_stopped(process.wait(60), process)
        self.assertIn(re.search("Weights SHA-256: ([0-9a-f]{64})", out)[1], model)


if __name__ == "__main__":
    unittest.main()
