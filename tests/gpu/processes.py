"""Ends a command with everything that it has started."""
import collections
import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36  # of Linux's prctl


def adopt_orphans():
    """A rank whose mpirun has died becomes our child, not init's, so that it is still found."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    """Numbers of the living children by their parent's. Not all kernels have /proc's own list."""
    found = collections.defaultdict(list)
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(parent)].append(int(path.parent.name))
    return found


def started_by(*roots):
    """They and all that they have started, directly or not."""
    parents, found = children(), list(roots)
    for number in found:
        found += parents[number]
    return found


def kill_with_children(process):
    """mpirun and its ranks, for one, have sessions of their own. Returns what it had printed."""
    orphans = [number for number in children()[os.getpid()] if number != process.pid]
    for _ in range(20):
        for number in started_by(process.pid, *orphans):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        orphans = [number for number in children()[os.getpid()] if number != process.pid]
        if not orphans and process.poll() is not None:
            break
        time.sleep(0.05)
    return printed(process)


def printed(process):
    """Also where one that cannot be killed still holds the pipes."""
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired as late:
        return as_text(late.output), as_text(late.stderr)


def as_text(content):
    return content.decode(errors="replace") if isinstance(content, bytes) else content or ""
