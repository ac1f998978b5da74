import json
import unittest

from program import ProgramTest, needs_mpi

SMALL = ["--data", "synthetic", "--hidden", 16, "--batch-size", 32]


class Bench(ProgramTest):
    def bench(self, *words, **how):
        return json.loads(self.succeed("bench", "--json", *SMALL, "--steps", 5, *words, **how))

    @needs_mpi
    def test_the_first_loss_is_that_of_any_number_of_ranks(self):
        self.assertEqual(self.bench("--threads", 1)["first_loss"],
                         self.bench("--threads", 1, ranks=2)["first_loss"])

    def test_trains_until_the_accuracy_is_reached(self):
        reached = self.bench("--to-accuracy", 0.2)["to_accuracy"]
        self.assertEqual(reached["steps"] % 100, 0)
        self.assertGreater(reached["seconds"], 0)
        self.assertNotIn("to_accuracy", self.bench())


class Export(ProgramTest):
    def order(self, folder):
        lines = (self.folder / folder / "order.txt").read_text().splitlines()
        return [[int(picture) for picture in line.split()] for line in lines]

    def test_writes_the_weights_before_the_first_step(self):
        self.succeed("bench", *SMALL, "--steps", 5, "--export", self.folder / "start")
        held = json.loads(self.succeed("inspect", "--json", "--model",
                                       self.folder / "start" / "start.safetensors"))
        self.assertEqual((held["metadata"]["steps"], held["metadata"]["hidden"]), ("0", "16"))
        self.assertEqual(held["tensors"]["rnn.bias_ih_l0"]["norm"], 0)
        self.assertGreater(held["tensors"]["rnn.weight_hh_l0"]["norm"], 1)

    def test_writes_the_pictures_of_every_step(self):
        self.succeed("bench", *SMALL, "--steps", 172, "--export", self.folder / "start")
        order = self.order("start")
        self.assertEqual([len(step) for step in order], [32] * 172)
        # 5,500 pictures in 4 shards of 1,375, 8 of each a step: a pass ends in the 172nd step.
        for shard in range(4):
            taken = [picture for step in order for picture in step[8 * shard:8 * shard + 8]]
            self.assertEqual(sorted(taken[:1375]), list(range(1375 * shard, 1375 * (shard + 1))))

    @needs_mpi
    def test_ranks_change_no_byte(self):
        self.succeed("bench", *SMALL, "--steps", 5, "--export", self.folder / "one")
        self.succeed("bench", *SMALL, "--steps", 5, "--export", self.folder / "three", ranks=3)
        for name in ["order.txt", "start.safetensors"]:
            self.assertEqual((self.folder / "one" / name).read_bytes(),
                             (self.folder / "three" / name).read_bytes(), name)

    def test_a_folder_that_cannot_be_made(self):
        (self.folder / "file").write_text("")
        self.fail_with(6, "file/start", "bench", *SMALL, "--steps", 5, "--export",
                       self.folder / "file" / "start")


if __name__ == "__main__":
    unittest.main()
