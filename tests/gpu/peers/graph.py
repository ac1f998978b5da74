"""PyTorch under a CUDA graph: forward, backward, Adam and the next batch's gather are one launch.

On the CPU, which has no graphs, a replay does the same steps.
"""
from timing import parse_options, run
from torch_trainer import Network, TorchTrainer
from torch_unrolled import Unrolled

import torch

WARM_UP = 3  # launches before the capture, on its stream, which gets the libraries' workspaces then


class Trainer(TorchTrainer):
    def __init__(self, job, options):
        super().__init__(job, options, Unrolled if options.unrolled else Network)
        launches = len(self.order) // options.steps_per_launch
        self.batches = self.order[:launches * options.steps_per_launch].view(
            launches, options.steps_per_launch, -1)
        self.position = torch.zeros(1, dtype=torch.int64, device=options.device)  # in batches
        self.launched = 0
        self.replay = None

    def launch(self):
        """Everything it needs to know lies on the device."""
        for pictures in self.batches.index_select(0, self.position)[0]:
            self.step(pictures)
        self.position.add_(1)

    def capture(self):
        if not self.on_gpu:
            return self.launch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.launch()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.adam.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph, stream=stream):
            self.launch()
        return graph.replay

    def run(self, steps):
        if self.replay is None:
            self.replay = self.capture()
        for _ in range(steps // self.batches.shape[1]):
            if self.launched % len(self.batches) == 0:  # here, as in the graph it would cost a kernel
                self.position.zero_()
            self.replay()
            self.launched += 1


run(Trainer, parse_options(unrolled="the rows as a loop of ordinary kernels instead of cuDNN's RNN"))
