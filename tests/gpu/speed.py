"""lockstep's step beside its peers', one after the other on the same GPU and the same job."""
import json
import os
import pathlib
import sys

from report import BATCH, STEPS_PER_EPOCH
from stages import Failed, NotRun, last_line

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
ORDERED_STEPS = 10 * STEPS_PER_EPOCH


class Speed:
    """`rows` are {"program", "kind", "p50_us", "min_us", "epoch_ms", "first_loss", "test_accuracy",
    "versions"}."""

    def __init__(self, lockstep, gpu, epochs):
        self.lockstep, self.gpu, self.epochs = lockstep, gpu, epochs
        self.start = lockstep.scratch / "start"
        self.rows = []

    def ours(self, budget):
        """Steps by `lockstep bench`, epochs by a training, evaluation and files included."""
        run = self.lockstep.train(budget, "--epochs", self.epochs)
        run.weights
        bench = json.loads(budget.succeed(*self.lockstep.command(None, [
            "bench", "--json", "--device", self.lockstep.device, "--data", self.lockstep.data,
            "--steps", ORDERED_STEPS if self.gpu else 100])))
        self.add("lockstep", "ours", {
            "p50_us": 1e3 * bench["step_ms"]["p50"], "min_us": 1e3 * bench["step_ms"]["min"],
            "epoch_ms": 1e3 * run.summary["seconds"] / self.epochs,
            "first_loss": bench["first_loss"], "test_accuracy": run.summary["test_accuracy"],
            "parts_ms": bench["parts_ms"]})
        return self.last()

    def peer(self, name, kind, script, *words):
        def work(budget):
            self.export(budget)
            ended = budget.run(sys.executable, PEERS / script, "--data", self.lockstep.data,
                               "--start", self.start, "--device", self.lockstep.device,
                               "--chunks", 11 * self.epochs, *words, env=peer_environment())
            why = last_line(ended.stderr)
            if ended.returncode != 0:
                raise (NotRun if "No module named" in why else Failed)(why)
            self.add(name, kind, json.loads(ended.stdout))
            return self.last()
        return work

    def export(self, budget):
        """lockstep's first weights and order of pictures, for all peers."""
        if not self.start.exists():
            budget.succeed(*self.lockstep.command(None, [
                "bench", "--export", self.start, "--steps", ORDERED_STEPS,
                "--data", self.lockstep.data, "--device", "cpu"]))

    def add(self, name, kind, figures):
        self.rows.append({"program": name, "kind": kind, **figures})

    def last(self):
        row = self.rows[-1]
        samples = BATCH * STEPS_PER_EPOCH / row["epoch_ms"]  # a millisecond
        return f"{row['p50_us']:.1f} us a step, {1e-3 * samples:.2f} M samples/s"

    def stages(self):
        yield "speed: lockstep", 40, self.ours
        for name, kind, seconds, script, *words in (
                ("PyTorch eager, cuDNN RNN", "eager", 60, "eager.py"),
                ("PyTorch, cuDNN RNN, a CUDA graph a step", "graph", 60, "graph.py"),
                ("PyTorch, cuDNN RNN, a CUDA graph of 13 steps", "graph", 60, "graph.py",
                 "--steps-per-launch", 13),
                ("PyTorch, rows unrolled, a CUDA graph a step", "graph", 60, "graph.py", "--unrolled"),
                ("PyTorch, rows unrolled, a CUDA graph of 13 steps", "graph", 60, "graph.py",
                 "--unrolled", "--steps-per-launch", 13),
                ("JAX, a jitted step", "graph", 75, "jitted.py"),
                ("JAX, 39 steps jitted together", "graph", 75, "jitted.py",
                 "--steps-per-launch", 39),
                ("JAX, 39 steps jitted together, own gradient", "graph", 75, "jitted.py",
                 "--steps-per-launch", 39, "--own-gradient")):
            yield f"speed: {name}", seconds, self.peer(name, kind, script, *words)
        yield "speed: lockstep again", 40, self.ours


def peer_environment():
    return os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
