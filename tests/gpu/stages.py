"""Runs stages one after the other, each within its time, and keeps what came of them."""
import contextlib
import os
import pathlib
import signal
import subprocess
import time


KEPT = 4000  # characters of a failed stage's outputs


class NotRun(Exception):
    """The stage could not be tried; says why."""


class Failed(Exception):
    """The stage was tried, and what came of it is wrong; says what."""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no word why"


def with_children(process):
    """Its number and those of all that it has started, directly or not."""
    found = [process]
    for number in found:
        for path in pathlib.Path(f"/proc/{number}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, path.read_text().split())
    return found


def kill_with_children(process):
    """mpirun and its ranks, for one, have sessions of their own. Returns what it had printed."""
    for number in with_children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    try:
        return process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        return "", ""


class Budget:
    """The seconds of one stage, and what it ran: {"command", "code", "out", "err"}, the ends of both."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.commands = []

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def run(self, *words, **how):
        """The ended process, whatever its exit code. Failed where there is no time left for it: then
        it and its children have been killed."""
        process = subprocess.Popen([str(word) for word in words], text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **how)
        try:
            out, err = process.communicate(timeout=self.left())
        except subprocess.TimeoutExpired:
            self.keep(words, "killed", *kill_with_children(process))
            raise Failed(f"{words[0]} had not ended when the stage's time was over") from None
        self.keep(words, process.returncode, out, err)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def keep(self, words, code, out, err):
        self.commands.append({"command": " ".join(map(str, words)), "code": code,
                              "out": out[-KEPT:], "err": err[-KEPT:]})

    def succeed(self, *words, **how):
        """The standard output of a process that ended with 0, else Failed."""
        ended = self.run(*words, **how)
        if ended.returncode != 0:
            raise Failed(f"exit code {ended.returncode}: {last_line(ended.stderr or ended.stdout)}")
        return ended.stdout


class Stages:
    """`results` are {"stage", "outcome": "passed" | "failed" | "not run", "detail", "seconds"}, and of
    those that failed "commands"."""

    def __init__(self, seconds, tell=lambda line: print(line, flush=True)):
        self.whole = Budget(seconds)
        self.tell = tell
        self.results = []

    def run(self, name, seconds, work):
        """`work` gets the stage's Budget; what it returns is the detail."""
        begin = time.monotonic()
        budget = Budget(min(seconds, self.whole.left()))
        outcome, detail = self.outcome(work, budget)
        result = {"stage": name, "outcome": outcome, "detail": detail,
                  "seconds": round(time.monotonic() - begin, 2)}
        if outcome == "failed":
            result["commands"] = budget.commands
        self.results.append(result)
        self.tell(f"{outcome:8} {result['seconds']:6.1f} s  {name}{': ' * bool(detail)}{detail}")

    @staticmethod
    def outcome(work, budget):
        if budget.left() == 0:
            return "not run", "the time for all stages was over"
        try:
            return "passed", work(budget) or ""
        except NotRun as why:
            return "not run", str(why)
        except Failed as why:
            return "failed", str(why)
        except Exception as error:  # of this script or of the machine: the other stages go on
            return "failed", f"{type(error).__name__}: {error}"

    def outcome_of(self, name):
        """None if it was not among the stages."""
        return next((r["outcome"] for r in self.results if r["stage"] == name), None)
