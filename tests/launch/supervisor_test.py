import os
import unittest

from clone import CloneTest

MPIRUN = os.environ.get("LOCKSTEP_MPIRUN", "")


@unittest.skipUnless(MPIRUN, "this build has no MPI")
class Supervisor(CloneTest):
    """launch/run with a stand-in for lockstep: a shell script, which knows the number of its attempt
    and has `note`."""

    def play(self, script, *flags, options=()):
        """launch/run on one rank; the stand-in's words of each attempt are in self.words()."""
        build = self.root / "build" / "release"
        build.mkdir(parents=True, exist_ok=True)
        (build / "mpirun.txt").write_text(f"{MPIRUN}\n")
        (build / "lockstep").write_text(
            f'#!/bin/sh\ncd {self.root}\necho "$@" >>words\nattempt=$(wc -l <words)\n'
            'note() { echo "@lockstep $*" >&2; }\n' + script)
        (build / "lockstep").chmod(0o755)
        (self.root / "words").unlink(missing_ok=True)
        return self.script("run", "-n", 1, *flags, "--", "train", "--out", self.root / "run",
                           *options)

    def words(self):
        return (self.root / "words").read_text().splitlines()

    def test_starts_a_lost_training_again_from_its_checkpoints(self):
        ended = self.play("note together; note training; [ $attempt = 2 ] || kill -KILL $$; note ended 0",
                          options=["--resume", "never", "--inject", "rank=0,step=1,kind=kill"])
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("run: all ranks were lost; starting again in 1 s (1 of 3 restarts)",
                      ended.stderr)
        self.assertNotIn("@lockstep", ended.stderr)
        first, second = self.words()
        self.assertIn("--resume never --inject", first)
        self.assertTrue(second.endswith("--resume auto"), second)
        self.assertNotIn("--inject", second)

    def test_keeps_its_hands_off_the_words_before_the_run_folder_is_the_runs(self):
        self.play("[ $attempt = 2 ] || kill -KILL $$; note ended 0", options=["--resume", "never"])
        first, second = self.words()
        self.assertEqual(first, second)

    def test_takes_an_end_with_reason_for_one(self):
        for code in (0, 1, 2, 3, 4, 6, 75):
            ended = self.play(f"note together; note ended {code}; kill -KILL $$")
            self.assertEqual((ended.returncode, len(self.words())), (code, 1), ended.stderr)

    def test_gives_up_with_the_reason_after_so_many_restarts(self):
        ended = self.play("note together; note ended 5; exit 5", "--max-restarts", 1)
        self.assertEqual((ended.returncode, len(self.words())), (5, 2))
        self.assertRegex(ended.stderr.splitlines()[-1],
                         "^run: a rank was lost, .*, after 1 restarts; start the run again")

    def test_does_not_believe_an_exit_code_of_0(self):
        ended = self.play("exit 0", "--max-restarts", 0)
        self.assertEqual((ended.returncode, len(self.words())), (5, 1))
        self.assertIn("lost before they found each other", ended.stderr)

    def test_believes_the_finished_marker(self):
        ended = self.play("note training; mkdir -p run; touch run/summary.json; kill -KILL $$")
        self.assertEqual((ended.returncode, len(self.words())), (0, 1), ended.stderr)

    def test_ends_a_start_up_that_hangs_and_tries_again(self):
        ended = self.play("[ $attempt = 2 ] || sleep 60; note together; note ended 0",
                          "--startup-timeout", 2)
        self.assertEqual((ended.returncode, len(self.words())), (0, 2), ended.stderr)
        self.assertIn("had not found each other after 2 s", ended.stderr)

    def test_ends_a_rank_that_hangs_when_all_is_done(self):
        ended = self.play("note together; note ended 0; sleep 60")
        self.assertEqual((ended.returncode, len(self.words())), (0, 1), ended.stderr)

    def test_ends_ranks_that_cannot_end_and_tries_again(self):
        ended = self.play("note together; note training; "
                          "[ $attempt = 2 ] || { note ended 5; note hung; sleep 60; }; note ended 0")
        self.assertEqual((ended.returncode, len(self.words())), (0, 2), ended.stderr)
        self.assertIn("waited in vain", ended.stderr)


if __name__ == "__main__":
    unittest.main()
