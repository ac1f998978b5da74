"""Training runs as jobs of a pretend cluster."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import cluster
from cluster import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCKSTEP = pathlib.Path(os.environ["LOCKSTEP"])
MPIRUN = os.environ.get("LOCKSTEP_MPIRUN", "")  # empty where the build has no MPI
EPOCH = 343  # steps


def training(epochs):
    return ["--data", "synthetic", "--hidden", "8", "--batch-size", "16", "--shards", "16",
            "--epochs", str(epochs), "--checkpoint-every", "20"]


RUN = training(3)
LONG = training(12)  # seconds, so that what happens after the first epoch meets it at work


def weights(run):
    """The hash that the run in this folder ended with; none before it has finished."""
    summary = run / "summary.json"
    return json.loads(summary.read_text())["weights_sha256"] if summary.exists() else None


class SlurmTest(unittest.TestCase):
    """Has a cluster, a clone of the repository with this build, and a folder for runs."""

    @classmethod
    def setUpClass(cls):
        reason = cluster.missing() or ("" if MPIRUN else "this build has no MPI")
        if reason:
            raise unittest.SkipTest(reason)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-slurm-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.clone = cls.folder / "clone"
        for name in ["launch", "cluster"]:
            shutil.copytree(ROOT / name, cls.clone / name)
        build = cls.clone / "build" / "release"
        build.mkdir(parents=True)
        (build / "lockstep").symlink_to(LOCKSTEP)
        (build / "mpirun.txt").write_text(f"{MPIRUN}\n")
        # All nodes' ranks share the processors of this machine.
        os.environ["OMPI_MCA_mpi_yield_when_idle"] = "1"
        (cls.folder / "cluster").mkdir()
        cls.cluster = cluster.Cluster(cls.folder / "cluster")
        cls.addClassCleanup(cls.cluster.stop)
        cls.undisturbed = {}

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=self.folder))

    def submit(self, *flags, options=RUN, out="run"):
        """The number of a job whose run folder is `out`."""
        ended = self.cluster.run(self.clone / "cluster" / "submit", *flags, "--", *options, "--out",
                                 out, cwd=self.work)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended.stdout)
        return re.match(r"Job (\d+): ", ended.stdout)[1]

    def slurm(self, *words):
        ended = self.cluster.run(*words)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout

    def field(self, job, name):
        """What Slurm says of a job, as JobState or ExitCode."""
        return re.search(rf"\b{name}=(\S+)", self.slurm("scontrol", "-o", "show", "job", job))[1]

    def log(self, job):
        path = self.work / f"slurm-{job}.out"
        return path.read_text() if path.exists() else ""

    def wait_log(self, job, text, seconds=120):
        try:
            wait_for(lambda: text in self.log(job), seconds, f"'{text}'")
        except AssertionError as error:
            self.fail(f"{error} of job {job}, {self.field(job, 'JobState')}:\n{self.log(job)}")

    def wait_state(self, job, state, seconds=120):
        try:
            wait_for(lambda: self.field(job, "JobState") == state, seconds, state)
        except AssertionError as error:
            self.fail(f"{error} of job {job}, {self.field(job, 'JobState')}:\n{self.log(job)}")

    def wait_checkpoint(self, step, out="run"):
        """Until one of this step or a later one is on disk: a thread writes them."""
        folder = self.work / out / "checkpoints"
        wait_for(lambda: any(int(path.stem.removeprefix("step-")) >= step
                             for path in folder.glob("step-*.safetensors")), 60, f"step {step}'s checkpoint")

    def ranks(self, node="", out="run"):
        """The processes that train into this folder on a node, or on all."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode().split("\0")
                if (words[0].endswith("/lockstep") and out in words
                        and (process / "cwd").resolve() == self.work
                        and (not node or self.cluster.nodes[node].holds(process.name))):
                    found.append(int(process.name))
            except OSError:  # it has ended meanwhile
                pass
        return found

    def hold(self, node):
        """Lets the whole run stand still: a rank of it does, until it is told to continue."""
        rank = self.ranks(node)[0]
        os.kill(rank, signal.SIGSTOP)
        return rank

    def assert_same_bits(self, out="run", options=RUN):
        """The run in `out` has finished with the weights of one that nothing disturbed."""
        key = tuple(options)
        if key not in self.undisturbed:
            folder = self.folder / f"undisturbed-{len(self.undisturbed)}"
            subprocess.run([LOCKSTEP, "train", *options, "--out", folder], check=True,
                           capture_output=True)
            self.undisturbed[key] = weights(folder)
        self.assertEqual(weights(self.work / out), self.undisturbed[key])
