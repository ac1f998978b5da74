"""Starts lockstep as a user does, and reads what it says."""
import itertools
import json
import os
import pathlib
import re
import struct

from stages import Failed, last_line

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Run:
    """An ended `lockstep train`."""

    def __init__(self, ended, folder):
        self.code, self.out, self.err, self.folder = (ended.returncode, ended.stdout, ended.stderr,
                                                      folder)

    @property
    def header(self):
        """The line that says what computes, and where."""
        return next((line for line in self.out.splitlines() if line.startswith("lockstep: ")), "")

    @property
    def weights(self):
        """Their SHA-256, if it went well, else Failed."""
        if self.code != 0:
            raise Failed(f"exit code {self.code}: {last_line(self.err or self.out)}")
        return re.search(r"Weights SHA-256: ([0-9a-f]{64})", self.out)[1]

    @property
    def summary(self):
        return json.loads((self.folder / "summary.json").read_text())


class Lockstep:
    """`device`: "cuda", or "cpu" for a rehearsal; `data`: where MNIST may be."""

    def __init__(self, preset, device, data, scratch):
        self.program = ROOT / "build" / preset / "lockstep"
        self.launcher = [ROOT / "launch/run", "--preset", preset]
        self.device, self.folders, self.scratch = device, data, scratch
        self.numbers = itertools.count(1)

    @property
    def data(self):
        return next(f for f in self.folders if (f / "train-images-idx3-ubyte").exists())

    def command(self, ranks, words):
        launcher = [*self.launcher, "-n", ranks, "--"] if ranks else [self.program]
        return [*launcher, *words]

    def train(self, budget, *words, ranks=None, device=None, data=None, before=(), **variables):
        """`ranks`: by launch/run; `before`: what the program is run under."""
        folder = self.scratch / f"run-{next(self.numbers)}"
        ended = budget.run(*before, *self.command(ranks, [
            "train", "--no-progress", "--device", device or self.device,
            "--data", data or self.data, "--out", folder, *words]), env=os.environ | variables)
        return Run(ended, folder)


def write_small_data(source, target, training=140, test=20):
    """The first pictures of a folder of IDX files: 140 leave 129 to train on, a step of 128."""
    target.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", training), ("t10k", test)):
        for kind, size in (("images-idx3", 28 * 28), ("labels-idx1", 1)):
            content = (source / f"{part}-{kind}-ubyte").read_bytes()
            header = 16 if size > 1 else 8
            (target / f"{part}-{kind}-ubyte").write_bytes(
                content[:4] + struct.pack(">I", count) + content[8:header + count * size])
    return target
