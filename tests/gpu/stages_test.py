import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from stages import Budget, Failed, NotRun, Stages


def raising(error):
    def work(_):
        raise error
    return work


class Outcomes(unittest.TestCase):
    def setUp(self):
        self.told = []
        self.stages = Stages(60, self.told.append)

    def outcome(self, work, seconds=60):
        self.stages.run("stage", seconds, work)
        result = self.stages.results[-1]
        return result["outcome"], result["detail"]

    def test_what_works_has_passed(self):
        self.assertEqual(self.outcome(lambda budget: "9ced3b"), ("passed", "9ced3b"))
        self.assertEqual(self.outcome(lambda budget: None), ("passed", ""))
        self.assertIn("stage: 9ced3b", self.told[0])

    def test_what_could_not_be_tried_has_not_passed(self):
        self.assertEqual(self.outcome(raising(NotRun("no JAX"))), ("not run", "no JAX"))

    def test_a_stage_that_fails_does_not_stop_the_next(self):
        self.assertEqual(self.outcome(raising(Failed("weights differ"))), ("failed", "weights differ"))
        self.assertEqual(self.outcome(raising(KeyError("p50"))), ("failed", "KeyError: 'p50'"))
        self.assertEqual(self.outcome(lambda budget: "on")[0], "passed")

    def test_after_each_there_is_time_to_write_it_down(self):
        counts = []
        stages = Stages(60, self.told.append, after=lambda: counts.append(len(stages.results)))
        for work in (lambda budget: "on", raising(Failed("why"))):
            stages.run("stage", 60, work)
        self.assertEqual(counts, [1, 2])

    def test_one_that_passes_keeps_its_commands_and_rows(self):
        def work(budget):
            budget.rows.append({"part": "Adam", "us": 3})
            budget.succeed("sh", "-c", "echo header; head -c 9000 /dev/zero | tr '\\0' x; echo end")
        self.assertEqual(self.outcome(work), ("passed", ""))
        command = self.stages.results[-1]["commands"][0]
        self.assertEqual((command["code"], self.stages.results[-1]["rows"][0]["us"]), (0, 3))
        self.assertTrue(command["out"].startswith("header\n") and command["out"].endswith("xend\n"))
        self.assertLess(len(command["out"]), 6000)

    def test_one_that_fails_keeps_what_its_commands_printed(self):
        self.outcome(lambda budget: budget.succeed("sh", "-c", "echo words; echo why >&2; exit 3"))
        command = self.stages.results[-1]["commands"][0]
        self.assertEqual((command["code"], command["out"], command["err"]), (3, "words\n", "why\n"))
        self.outcome(lambda budget: budget.succeed("sh", "-c", "echo words; exec sleep 60"), 0.3)
        command = self.stages.results[-1]["commands"][0]
        self.assertEqual((command["code"], command["out"]), ("killed", "words\n"))

    def test_what_there_is_no_time_for_is_not_run(self):
        self.stages = Stages(0, self.told.append)
        self.assertEqual(self.outcome(lambda budget: "done")[0], "not run")

    def test_a_stage_gets_no_more_than_is_left_of_the_whole(self):
        Stages(5, self.told.append).run("stage", 60, lambda b: self.assertLessEqual(b.left(), 5))
        self.assertIn("passed", self.told[-1])


class Commands(unittest.TestCase):
    def test_one_that_takes_too_long_is_killed_with_its_children(self):
        with tempfile.TemporaryDirectory() as folder:
            number = pathlib.Path(folder, "child")
            begin = time.monotonic()
            with self.assertRaises(Failed):
                Budget(0.5).run("sh", "-c", f"setsid sleep 60 & echo $! >{number}; wait")
            self.assertLess(time.monotonic() - begin, 10)
            self.assertTrue(is_gone(int(number.read_text())))

    def test_its_killed_childrens_orphans_are_killed_too(self):
        """A rank whose mpirun has died."""
        with tempfile.TemporaryDirectory() as folder:
            number = pathlib.Path(folder, "orphan")
            adopting = ("from processes import adopt_orphans; from stages import Budget, Failed\n"
                        "adopt_orphans()\ntry: Budget(0.5).run('sh', '-c', "
                        f"'(setsid sleep 60 & echo $! >{number}); exec sleep 60')\n"
                        "except Failed: print('killed')")
            said = subprocess.run([sys.executable, "-c", adopting], text=True, capture_output=True,
                                  cwd=pathlib.Path(__file__).parent)
            self.assertEqual(said.stdout, "killed\n", said.stderr)
            self.assertTrue(is_gone(int(number.read_text())))

    def test_one_that_fails_says_its_last_line(self):
        with self.assertRaisesRegex(Failed, "exit code 3: no disk"):
            Budget(10).succeed("sh", "-c", "echo some words >&2; echo no disk >&2; exit 3")

    def test_output_comes_back(self):
        self.assertEqual(Budget(10).succeed("echo", 1), "1\n")


def is_gone(process, seconds=10):
    """A kill has been sent, not obeyed, when it returns; and a child without a parent to wait for it
    may stay as a zombie."""
    end = time.monotonic() + seconds
    while state(process) not in "XZ":
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def state(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().split()[2]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


if __name__ == "__main__":
    unittest.main()
