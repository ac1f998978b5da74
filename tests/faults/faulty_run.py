"""A run of the program under mpirun whose ranks can be found, killed and watched."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCH = ROOT / "launch" / "run"
PRESET = os.environ.get("LOCKSTEP_PRESET", "release")


def descendants(process):
    """Of a process, without itself."""
    found = []
    try:
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(child)]
    except OSError:
        pass  # it ended just now
    return found


class FaultyRun:
    """`options` of train, `flags` of launch/run."""

    def __init__(self, ranks, options, flags=("--startup-timeout", 10), out=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-fault-"))
        self.out = pathlib.Path(out) if out else self.folder / "run"
        # It does not outlive this script, however that ends.
        command = ["setpriv", "--pdeathsig", "TERM", LAUNCH, "-n", ranks, "--preset", PRESET, *flags, "--", "train", "--out", self.out, *options]
        self.begin = time.monotonic()
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        text=True, start_new_session=True)
        self.lines = []  # with the moment at which each came
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with open(self.folder / "log", "w") as log:
            for line in self.process.stdout:
                self.lines.append((time.monotonic(), line.rstrip()))
                log.write(line)

    def moment(self, text, after=0.0):
        """When the first line with this text came after a moment; None: not yet."""
        return next((t for t, line in list(self.lines) if text in line and t >= after), None)

    def wait_for(self, text, timeout):
        end = time.monotonic() + timeout
        while self.moment(text) is None and time.monotonic() < end:
            time.sleep(0.01)
        return self.moment(text)

    def seconds(self):
        return time.monotonic() - self.begin

    def ranks(self):
        """Process numbers by rank, of those that are alive."""
        found = {}
        for child in descendants(self.process.pid):
            try:
                environment = pathlib.Path(f"/proc/{child}/environ").read_bytes()
                program = os.readlink(f"/proc/{child}/exe")
            except OSError:
                continue  # it ended just now
            rank = re.search(rb"(?:^|\0)OMPI_COMM_WORLD_RANK=(\d+)", environment)
            if rank and program.endswith("/lockstep"):
                found[int(rank[1])] = child
        return found

    def kill(self, rank, number=signal.SIGKILL):
        """The moment of it; None if it was not there to be killed."""
        process = self.ranks().get(rank)
        if process is None:
            return None
        try:
            moment = time.monotonic()
            os.kill(process, number)
            return moment
        except ProcessLookupError:
            return None

    def wait(self, timeout):
        """Exit code, or None if it still runs then; all its processes are gone after it."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        self.end = self.seconds()
        for process in [*descendants(self.process.pid), self.process.pid]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.reader.join(10)
        self.text = "\n".join(line for _, line in self.lines)
        return code

    def hash(self):
        found = re.findall("Weights SHA-256: ([0-9a-f]{64})", self.text)
        return found[-1] if found else None

    def summary(self):
        try:
            return json.loads((self.out / "summary.json").read_text())
        except (OSError, ValueError):
            return None

    def steps(self):
        """The rows of metrics.jsonl that are steps, up to a torn one."""
        rows = []
        with contextlib.suppress(OSError, ValueError):
            for line in (self.out / "metrics.jsonl").read_text().splitlines():
                rows.append(json.loads(line))
        return [row for row in rows if row["kind"] == "step"]

    def step_seconds(self):
        """By step, on the rank that told it."""
        return {row["step"]: row["seconds"] for row in self.steps()}

    def metrics_fault(self, steps):
        """What is wrong with the rows of metrics.jsonl: gaps, doubles. Empty: nothing."""
        found = [row["step"] for row in self.steps()]
        if found == list(range(1, steps + 1)):
            return ""
        missing = sorted(set(range(1, steps + 1)) - set(found))
        return f"{len(missing)} steps missing from {missing[:1]}, {len(found) - len(set(found))} double"

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def undisturbed(ranks, options):
    """The ended run that nothing happens to; ends the script if it could not."""
    run = FaultyRun(ranks, options)
    if run.wait(120) != 0 or run.hash() is None:
        raise SystemExit(f"{pathlib.Path(sys.argv[0]).name}: the undisturbed run failed: {run.text}")
    run.forget()
    return run


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def say(*words):
    print(*words, flush=True)
