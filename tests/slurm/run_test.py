import os
import signal
import unittest

from job import EPOCH, LONG, RUN, SlurmTest


class Run(SlurmTest):

    def test_of_an_array_are_two_in_two_folders(self):
        job = self.submit("--ranks", 2, "--array", "1-2", options=[*RUN, "--seed", "%a"],
                          out="seed-%a")
        for seed in ["1", "2"]:
            self.wait_log(f"{job}_{seed}", "Weights SHA-256: ", 120)
            self.wait_state(f"{job}_{seed}", "COMPLETED")
            self.assertIn(f"Run folder: seed-{seed}\n", self.log(f"{job}_{seed}"))
            self.assert_same_bits(f"seed-{seed}", [*RUN, "--seed", seed])

    def test_goes_by_srun_or_mpirun_on_ranks_and_threads_of_the_allocation(self):
        for launcher, words, lost_ranks in [
            ("srun", [], "the job is queued again"),
            ("mpirun", ["--launcher", "mpirun"], "the others go on in place (ULFM); if all are lost, "
             "launch/run starts again from the newest checkpoint, up to 3 times"),
        ]:
            with self.subTest(launcher):
                job = self.submit("--nodes", 3, "--ranks", 3, *words, "--sbatch",
                                  "--cpus-per-task=2", out=launcher)
                self.wait_state(job, "COMPLETED")
                self.assertIn(f"3 ranks by {launcher} on n[1-3]", self.log(job))
                self.assertIn("3 ranks over Open MPI", self.log(job))
                self.assertIn("2 threads each", self.log(job))
                self.assertIn(f"Lost ranks: {lost_ranks}", self.log(job))

    def test_goes_on_after_a_rank_was_killed(self):
        job = self.submit("--ranks", 2, "--launcher", "srun", options=LONG)
        self.wait_checkpoint(EPOCH)
        os.kill(self.ranks()[0], signal.SIGKILL)
        self.wait_state(job, "COMPLETED")
        self.assertEqual(self.field(job, "Restarts"), "1")
        self.assert_same_bits(options=LONG)

    def test_goes_on_in_place_after_a_rank_of_mpirun_was_killed(self):
        job = self.submit("--nodes", 2, "--ranks", 3, "--launcher", "mpirun",
                          options=LONG)
        self.wait_log(job, "Epoch: 1,")
        os.kill(self.ranks("n2")[0], signal.SIGKILL)
        self.wait_state(job, "COMPLETED")
        self.assertRegex(self.log(job), r"Lost rank \d .*; 2 ranks go on after")
        self.assertEqual(self.field(job, "Restarts"), "0")
        self.assert_same_bits(options=LONG)

    def test_says_why_it_can_not_begin(self):
        job = self.submit("--ranks", 2, options=["--data", "nowhere"])
        self.wait_state(job, "FAILED")
        self.assertEqual(self.field(job, "ExitCode"), "3:0")
        self.assertEqual(self.field(job, "Restarts"), "0")


if __name__ == "__main__":
    unittest.main()
