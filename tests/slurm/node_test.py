import unittest

from cluster import wait_for
from job import EPOCH, LONG, SlurmTest


class Node(SlurmTest):
    """A job that loses a node goes on by others, to the bits of a run that nothing disturbed."""

    launcher = "srun"

    def begin(self):
        """A job in its second epoch on n1 and n2, with n3 to spare."""
        job = self.submit("--nodes", 2, "--ranks", 3, "--launcher", self.launcher,
                          options=LONG)
        self.wait_log(job, "Epoch: 1,")
        self.wait_checkpoint(EPOCH)
        return job

    def assert_went_on(self, job, nodes):
        wait_for(lambda: self.field(job, "Restarts") != "0", 60, "Slurm to queue the job again")
        self.wait_state(job, "COMPLETED")
        self.assertEqual(self.field(job, "NodeList"), nodes)
        self.assertEqual(self.log(job).count("Epoch: 1,"), 1)
        self.assert_same_bits(options=LONG)

    def lose(self, node, on):
        """Kills or cuts off a node, and sees the job end on two others."""
        job = self.begin()
        on(node)
        self.assert_went_on(job, "n[1,3]" if node == "n2" else "n[2-3]")

    def test_killed(self):
        self.addCleanup(self.bring_back, "n2", self.cluster.start_node)
        self.lose("n2", self.cluster.kill_node)

    def test_killed_that_had_the_first_rank(self):
        self.addCleanup(self.bring_back, "n1", self.cluster.start_node)
        self.lose("n1", self.cluster.kill_node)

    def test_cut_off(self):
        self.addCleanup(self.bring_back, "n2", self.cluster.mend)
        self.lose("n2", self.cluster.cut)

    def test_cut_off_that_had_the_first_rank(self):
        job = self.begin()
        self.cluster.cut("n1")
        self.wait_log(job, "still holds the run folder", 120)
        self.bring_back("n1", self.cluster.mend)
        self.assert_went_on(job, "n[2-3]")

    def bring_back(self, node, how):
        """Where ranks of the job still hang, they must end then."""
        how(node)
        wait_for(lambda: not any("down" in state for state in self.cluster.states()), 60,
                 f"{node} to come back")
        wait_for(lambda: not self.ranks(node), 60, "the end of ranks that were left behind")


class NodeByMpirun(Node):
    launcher = "mpirun"


if __name__ == "__main__":
    unittest.main()
