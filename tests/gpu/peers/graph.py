"""PyTorch under a CUDA graph: forward, backward, Adam and the next batch's gather are one launch.

On the CPU, which has no graphs, a replay does the same steps.
"""
from timing import parse_options, run
from torch_trainer import TorchTrainer

import torch

WARM_UP = 3  # before the capture, on its stream, which gets cuDNN's workspace then


class Trainer(TorchTrainer):
    def __init__(self, job, options):
        super().__init__(job, options)
        self.steps_per_launch = options.steps_per_launch
        self.taken = torch.zeros(1, dtype=torch.int64, device=options.device)
        self.replay = None

    def next_step(self):
        """Everything it needs to know lies on the device."""
        self.step(self.order.index_select(0, self.taken).view(-1))
        self.taken.add_(1).remainder_(len(self.order))

    def launch(self):
        for _ in range(self.steps_per_launch):
            self.next_step()

    def capture(self):
        if not self.on_gpu:
            return self.launch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.next_step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.adam.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph, stream=stream):
            self.launch()
        return graph.replay

    def run(self, steps):
        if self.replay is None:
            self.replay = self.capture()
        for _ in range(steps // self.steps_per_launch):
            self.replay()


run(Trainer, parse_options())
