"""PyTorch as its tutorials write it, without a wait for the device in a step."""
from timing import parse_options, run
from torch_trainer import TorchTrainer


class Trainer(TorchTrainer):
    taken = 0

    def run(self, steps):
        for _ in range(steps):
            self.step(self.order[self.taken % len(self.order)])
            self.taken += 1


run(Trainer, parse_options())
