"""The promise on real data: the published hashes, and one hash however a recipe is run."""

import os
import pathlib
import signal
import unittest

from program import ProgramTest, children, lockstep, needs_mpi

DEFAULT_RUN = "065033079c7cfb41391fba661313093dae01702bf77afafe3198b71ad5c9e19b"  # README's
ONE_EPOCH = "9ced3b961684af65e3d35bef89ec0141a38ac20c43f1226ad71a59f9e70f02db"

MNIST = pathlib.Path(os.environ["LOCKSTEP_MNIST"])
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
needs_mnist = unittest.skipUnless((MNIST / "train-images-idx3-ubyte").exists(),
                                  f"no MNIST in {MNIST}; run launch/fetch-mnist")


@needs_mnist
class Bits(ProgramTest):
    def weights(self, *words, data=MNIST, epochs=1, **how):
        out = self.succeed("train", "--data", data, "--epochs", epochs, "--quiet", "--out",
                           self.folder / f"run{len(self.files())}", *words, **how)
        return out.split()[-1]

    def assert_same(self, expected, runs):
        for words, how in runs:
            with self.subTest(words=words, **how):
                self.assertEqual(self.weights(*words, **how), expected)

    @needs_mpi
    def test_default_run_has_the_published_hash(self):
        self.assertEqual(self.weights(epochs=10, ranks=2), DEFAULT_RUN)

    def test_threads_engines_and_instruction_sets_change_no_bit(self):
        runs = [(["--threads", 1], {}), (["--threads", 2], {}), (["--dense"], {}),
                (["--engine", "reference"], {})]
        for isa in ("avx2", "avx512", "neon"):
            probe = lockstep("bench", "--data", "synthetic", "--steps", 1, "--isa", isa)
            if probe.returncode == 0:
                runs.append((["--isa", isa], {}))
            else:
                print(f"not tested here: {probe.stderr.strip()}")
        self.assert_same(ONE_EPOCH, runs)

    @needs_mpi
    def test_ranks_and_the_place_of_evaluation_change_no_bit(self):
        runs = [([], {"ranks": n}) for n in (1, 2, 3, 4, 7, 16)]
        runs += [(["--evaluate", "all"], {"ranks": 3}), (["--threads", 2], {"ranks": 2})]
        self.assert_same(ONE_EPOCH, runs)

    @needs_mpi
    def test_a_run_that_was_killed_and_goes_on_has_the_same_hash(self):
        run = self.folder / "run"
        words = ["--data", MNIST, "--epochs", 1, "--checkpoint-every", 25]
        for ranks in (2, 3):
            process = self.begin_checkpointed(run, "train", *words, ranks=ranks)
            for rank in children(process):
                os.kill(rank, signal.SIGKILL)
            process.wait(60)
        out = self.succeed("train", *words, "--out", run, ranks=4)
        self.assertIn("Going on after step ", out)
        self.assertEqual(out.split()[-1], ONE_EPOCH)

    @needs_mpi
    def test_no_all_reduce_algorithm_of_open_mpi_changes_a_bit(self):
        for algorithm in range(1, 7):
            flags = {"OMPI_MCA_coll_tuned_use_dynamic_rules": "1",
                     "OMPI_MCA_coll_tuned_allreduce_algorithm": str(algorithm)}
            self.assert_same(ONE_EPOCH, [([], {"ranks": 3, "mca": flags})])

    def test_parity_of_threads_in_one_process(self):
        out = self.succeed("parity", "--data", MNIST, "--epochs", 1, "--ranks", "1,2,3,7")
        self.assertEqual(out.count(ONE_EPOCH), 4, out)

    @needs_mpi
    def test_other_batches_sizes_and_data_have_one_hash_each(self):
        recipes = [["--batch-size", 96], ["--hidden", 37], ["--recipe", "tuned"]]
        for recipe in recipes:
            self.assert_same(self.weights(*recipe), [(recipe, {"ranks": 3})])

    @unittest.skipUnless(FASHION.exists(), "Debian's dataset-fashion-mnist is not installed")
    @needs_mpi
    def test_fashion_mnist_has_one_hash(self):
        self.assert_same(self.weights(data=FASHION), [([], {"data": FASHION, "ranks": 3})])


if __name__ == "__main__":
    unittest.main()
