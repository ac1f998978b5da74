import os
import signal
import unittest

from cluster import wait_for
from job import LONG, SlurmTest


class Stop(SlurmTest):
    """A job that is asked to stop goes on later, to the bits of a run that nothing disturbed."""

    launcher = "srun"

    def begin(self, *flags):
        """A job in its second epoch."""
        job = self.submit("--nodes", 2, "--ranks", 3, "--launcher", self.launcher, *flags,
                          options=LONG)
        self.wait_log(job, "Epoch: 1,")
        return job

    def assert_went_on(self, job, text="queued again"):
        self.wait_state(job, "COMPLETED")
        self.assertEqual(self.field(job, "Restarts"), "1")
        self.assertIn(text, self.log(job))
        self.assertIn("Stopped on request", self.log(job))
        self.assertEqual(self.log(job).count("Epoch: 1,"), 1)
        self.assert_same_bits(options=LONG)

    def test_before_the_time_limit(self):
        job = self.begin("--time", "1", "--sbatch", "--signal=B:USR1@20")
        rank = self.hold("n1")
        self.wait_log(job, "asked to stop", 90)
        os.kill(rank, signal.SIGCONT)
        self.assert_went_on(job)

    def test_at_preemption(self):
        job = self.begin("--sbatch", "--exclusive")
        self.hold("n2")  # Slurm lets it continue, to hear SIGTERM
        self.preempt()
        self.assert_went_on(job)

    def test_at_preemption_without_grace(self):
        job = self.begin("--sbatch", "--exclusive", "--partition=abrupt")
        self.hold("n2")
        self.preempt()
        self.assert_went_on(job, "stopped; what is in run can go on")

    def preempt(self):
        other = self.slurm("sbatch", "--parsable", "--partition=high", "--nodes=3", "--exclusive",
                           "--output=/dev/null", "--wrap=sleep 1").strip()
        self.wait_state(other, "COMPLETED")

    def test_for_good_by_scancel(self):
        job = self.begin()
        self.slurm("scancel", job)
        self.wait_state(job, "CANCELLED")
        wait_for(lambda: not self.ranks(), 30, "the ranks' end")
        self.assertEqual(self.field(job, "Restarts"), "0")
        again = self.submit(options=LONG)
        self.wait_state(again, "COMPLETED")
        self.assertNotIn("Epoch: 1,", self.log(again))
        self.assert_same_bits(options=LONG)

    def test_where_jobs_are_not_queued_again(self):
        job = self.begin("--sbatch", "--no-requeue")
        self.slurm("scancel", "--batch", "--signal=USR1", job)
        self.wait_state(job, "FAILED")
        self.assertEqual(self.field(job, "ExitCode"), "75:0")
        self.assertIn("submit it again with --out run, and it goes on", self.log(job))


class StopByMpirun(Stop):
    launcher = "mpirun"


if __name__ == "__main__":
    unittest.main()
