import json
import pathlib
import subprocess
import types
import unittest

from speed import Speed
from stages import Failed, NotRun

FIGURES = {"p50_us": 60.0, "min_us": 55.0, "epoch_ms": 27.0, "first_loss": 2.3, "test_accuracy": 0.97}


class Peer(unittest.TestCase):
    """Peers that were not really started."""

    def setUp(self):
        lockstep = types.SimpleNamespace(device="cuda", data="/mnist", scratch=pathlib.Path("/scratch"))
        self.speed = Speed(lockstep, {"name": "NVIDIA H200"}, epochs=10)
        self.speed.start = pathlib.Path("/")  # there, so nothing is exported
        self.asked = []

    def run_peer(self, code=0, out="", err=""):
        def run(*words, **_):
            self.asked = [str(word) for word in words]
            return subprocess.CompletedProcess(words, code, out, err)
        work = self.speed.peer("JAX", "graph", "jitted.py", "--steps-per-launch", 39)
        return work(types.SimpleNamespace(run=run))

    def test_is_a_row_with_its_figures(self):
        self.assertIn("60.0 us a step", self.run_peer(out=json.dumps(FIGURES)))
        self.assertEqual(self.speed.rows, [{"program": "JAX", "kind": "graph", **FIGURES}])
        self.assertEqual(self.asked[-2:], ["--steps-per-launch", "39"])
        self.assertIn("cuda", self.asked)

    def test_whose_package_is_missing_is_not_run(self):
        with self.assertRaisesRegex(NotRun, "No module named 'jax'"):
            self.run_peer(1, err="Traceback\nModuleNotFoundError: No module named 'jax'\n")
        self.assertEqual(self.speed.rows, [])

    def test_that_breaks_has_failed_with_its_last_line(self):
        with self.assertRaisesRegex(Failed, "^RuntimeError: out of memory$"):
            self.run_peer(1, err="Traceback\nRuntimeError: out of memory\n")

    def test_rows_are_unrolled_too_with_and_without_a_graph_of_several_steps(self):
        self.speed.peer = lambda name, kind, script, *words: (kind, script, *words)
        asked = {name: work for name, _, work in self.speed.stages()}
        self.assertEqual(asked["speed: PyTorch, rows unrolled, a CUDA graph a step"],
                         ("graph", "graph.py", "--unrolled"))
        self.assertEqual(asked["speed: PyTorch, rows unrolled, a CUDA graph of 13 steps"],
                         ("graph", "graph.py", "--unrolled", "--steps-per-launch", 13))


if __name__ == "__main__":
    unittest.main()
