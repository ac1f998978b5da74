"""Runs stages one after the other, each within its time, and keeps what came of them."""
import subprocess
import time

from processes import kill_with_children

KEPT = 1500, 4000  # characters of the beginning and of the end of each output


class NotRun(Exception):
    """The stage could not be tried; says why."""


class Failed(Exception):
    """The stage was tried, and what came of it is wrong; says what."""


class TimedOut(Failed):
    """A command had not ended in the stage's time."""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no word why"


def shortened(text):
    begin, end = KEPT
    if len(text) <= begin + end:
        return text
    return f"{text[:begin]}\n[{len(text) - begin - end} characters]\n{text[-end:]}"


class Budget:
    """The seconds of one stage, what it ran: {"command", "code", "out", "err"}, and the `rows` of its
    table, if it makes one: each {head: cell}."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.commands = []
        self.rows = []

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def run(self, *words, **how):
        """The ended process, whatever its exit code. TimedOut where there is no time left for it: then
        it and its children have been killed."""
        process = subprocess.Popen([str(word) for word in words], text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **how)
        try:
            out, err = process.communicate(timeout=self.left())
        except subprocess.TimeoutExpired:
            self.keep(words, "killed", *kill_with_children(process))
            raise TimedOut(f"{words[0]} had not ended when the stage's time was over") from None
        except BaseException:  # this script itself is asked to end
            kill_with_children(process)
            raise
        self.keep(words, process.returncode, out, err)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def keep(self, words, code, out, err):
        self.commands.append({"command": " ".join(map(str, words)), "code": code,
                              "out": shortened(out), "err": shortened(err)})

    def succeed(self, *words, **how):
        """The standard output of a process that ended with 0, else Failed."""
        ended = self.run(*words, **how)
        if ended.returncode != 0:
            raise Failed(f"exit code {ended.returncode}: {last_line(ended.stderr or ended.stdout)}")
        return ended.stdout


class Stages:
    """`results` are {"stage", "outcome": "passed" | "failed" | "not run", "detail", "seconds",
    "commands", "rows"}; `after` is called after each."""

    def __init__(self, seconds, tell=lambda line: print(line, flush=True), after=lambda: None):
        self.whole = Budget(seconds)
        self.tell, self.after = tell, after
        self.results = []

    def run(self, name, seconds, work):
        """`work` gets the stage's Budget; what it returns is the detail."""
        begin = time.monotonic()
        budget = Budget(min(seconds, self.whole.left()))
        outcome, detail = self.outcome(work, budget)
        taken = round(time.monotonic() - begin, 2)
        self.results.append({"stage": name, "outcome": outcome, "detail": detail, "seconds": taken,
                             "commands": budget.commands, "rows": budget.rows})
        self.tell(f"{outcome:8} {taken:6.1f} s  {name}{': ' * bool(detail)}{detail}")
        self.after()

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
