import os
import pathlib
import shlex
import signal
import subprocess
import time
import unittest

from clone import CloneTest

MPIRUN = os.environ.get("LOCKSTEP_MPIRUN", "")


@unittest.skipUnless(MPIRUN, "this build has no MPI")
class Run(CloneTest):
    """launch/run with a stand-in for lockstep: the shell, which takes `-c SCRIPT`."""

    def setUp(self):
        super().setUp()
        build = self.root / "build" / "release"
        build.mkdir(parents=True)
        (build / "mpirun.txt").write_text(f"{MPIRUN}\n")
        (build / "lockstep").write_text('#!/bin/sh\nexec sh "$@"\n')
        (build / "lockstep").chmod(0o755)

    def begin(self, script):
        """The script at work on two ranks, each of which has made its file."""
        marks = [self.root / "rank.0", self.root / "rank.1"]
        mark = (f"cd {shlex.quote(str(self.root))}; echo $$ > new.$OMPI_COMM_WORLD_RANK; "
                "mv new.$OMPI_COMM_WORLD_RANK rank.$OMPI_COMM_WORLD_RANK")
        process = subprocess.Popen(
            [self.root / "launch" / "run", "-n", "2", "--", "-c", script.replace("MARK", mark)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.wait_for(lambda: all(mark.exists() for mark in marks))
        return process, [int(mark.read_text()) for mark in marks]

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)

    def test_starts_so_many_ranks_even_more_than_cores(self):
        for ranks in (1, 2, os.cpu_count() + 1):
            ended = self.script("run", "-n", ranks, "--", "-c", "echo a rank")
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            self.assertEqual(ended.stdout.split("\n"), ["a rank"] * ranks + [""])

    def test_passes_the_exit_code_on_and_no_banner(self):
        ended = self.script("run", "-n", 2, "--", "-c",
                            "[ $OMPI_COMM_WORLD_RANK = 0 ] && echo lockstep: why >&2 || sleep 30; "
                            "exit 6")
        self.assertEqual((ended.returncode, ended.stderr), (6, "lockstep: why\n"))

    def test_tells_of_a_killed_rank(self):
        ended = self.script("run", "-n", 2, "--", "-c",
                            "[ $OMPI_COMM_WORLD_RANK = 0 ] || kill -KILL $$; sleep 30")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("signal 9", ended.stderr)

    def test_ctrl_c_and_sigterm_reach_the_ranks_as_a_request_to_stop(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process, _ = self.begin("trap 'sleep 2; exit 75' USR1; MARK; exec 2>/dev/null; "
                                        "while :; do sleep 0.05; done")
                process.send_signal(number)
                _, error = process.communicate(timeout=60)
                self.assertEqual((process.returncode, error), (75, ""))
                for rank in (0, 1):
                    (self.root / f"rank.{rank}").unlink()

    def test_leaves_no_rank_behind_when_killed(self):
        process, ranks = self.begin("trap '' USR1 TERM; MARK; while :; do sleep 0.05; done")
        process.kill()
        process.communicate(timeout=60)
        self.wait_for(lambda: not any(pathlib.Path(f"/proc/{rank}").exists() for rank in ranks))

    def test_says_what_is_missing(self):
        alone = self.root / "build" / "alone"
        alone.mkdir()
        (alone / "mpirun.txt").write_text("\n")
        (alone / "lockstep").symlink_to("../release/lockstep")
        for words, text in ((["-n", "2"], "no command"), (["-n", "two", "--", "x"], "-n needs"),
                            (["-n", "2", "--max-restarts", "3", "--", "x"], "for train"),
                            (["-n", "2", "--preset", "none", "--", "x"], "launch/build none"),
                            (["-n", "2", "--preset", "alone", "--", "x"], "has no MPI")):
            ended = self.script("run", *words)
            self.assertEqual(ended.returncode, 2)
            self.assertIn(text, ended.stderr)
            self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)


if __name__ == "__main__":
    unittest.main()
