"""What the two PyTorch peers share. Pictures, labels and their order stay on the device."""
import timing  # finds the modules of tests/bench/peers

import torch
from torch.nn import functional

from torch_eager import Network
from torch_job import TorchJob, adam


class TorchTrainer:
    """nn.RNN, which is cuDNN's on a GPU, and Adam (fused), in fp32."""
    versions = f"torch {torch.__version__}"

    def __init__(self, job, options, make_network=Network):
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        self.on_gpu = options.device == "cuda"
        self.job, self.data = job, TorchJob(job, options.device)
        # [row][picture][column], so that a gathered batch needs no copy to the order of time
        self.images = self.data.images.transpose(0, 1).contiguous()
        self.order = torch.from_numpy(job.order).long().to(options.device)  # a row: a step's pictures
        self.one = torch.ones((), device=options.device)
        self.network = make_network()
        self.network.load(job)
        self.network.to(options.device)
        self.adam = adam([p for p in self.network.parameters() if p.requires_grad],
                         capturable=self.on_gpu)

    def loss(self, pictures):
        rows = self.images.index_select(1, pictures) / 255  # fp32, in one kernel
        return functional.cross_entropy(self.network(rows), self.data.labels[pictures])

    def step(self, pictures):
        self.adam.zero_grad(set_to_none=True)
        self.loss(pictures).backward(self.one)  # without it, a kernel would fill a new one
        self.adam.step()

    def first_loss(self):
        with torch.no_grad():
            return self.loss(self.order[0]).item()

    def wait(self):
        if self.on_gpu:
            torch.cuda.synchronize()

    def correct(self):
        return self.data.correct(self.network)
