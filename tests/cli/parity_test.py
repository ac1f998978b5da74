import unittest

from program import ProgramTest, needs_mpi

SMALL = ["parity", "--data", "synthetic", "--epochs", "2", "--hidden", "8", "--batch-size", "32"]


class Parity(ProgramTest):
    def assert_same(self, out, count):
        lines = out.splitlines()
        sums = {line for line in lines if "Weights SHA-256: " in line}
        self.assertEqual(sum("Weights SHA-256: " in line for line in lines), count, out)
        self.assertEqual(len(sums), 1, out)
        self.assertIn("Parity: the same weights to the last bit", lines[-1])

    def test_of_threads_in_one_process(self):
        self.assert_same(self.succeed(*SMALL, "--ranks", "1,2,3,4", cwd=self.folder), 4)
        self.assertEqual(self.files(), [])

    @needs_mpi
    def test_of_mpi_ranks(self):
        self.assert_same(self.succeed(*SMALL, "--ranks", "1,2,3", ranks=3), 3)


if __name__ == "__main__":
    unittest.main()
