"""PyTorch compiled: the rows unrolled by hand (torch.compile leaves nn.RNN as it is), Adam (fused)."""
import torch
from torch.nn import functional

from job import ROWS
from measure import parse_options, run
from torch_job import TorchJob, adam, rows_of


SETTINGS = {"default": {}, "max-autotune": {"max_autotune": True},
            "cpp-wrapper": {"cpp_wrapper": True}}


def logits_of(weights, rows):
    input_kernel, recurrent_kernel, bias, head_kernel, head_bias = weights
    state = torch.tanh(rows[0] @ input_kernel + bias)
    for t in range(1, ROWS):
        state = torch.tanh(rows[t] @ input_kernel + state @ recurrent_kernel + bias)
    return torch.addmm(head_bias, state, head_kernel)


def loss_of(weights, images, labels, pictures):
    return functional.cross_entropy(logits_of(weights, rows_of(images[pictures])), labels[pictures])


class Trainer:
    versions = f"torch {torch.__version__}"

    def __init__(self, job, threads, settings):
        torch.set_num_threads(threads)
        self.job, self.data = job, TorchJob(job)
        self.weights = [torch.nn.Parameter(torch.from_numpy(w.copy())) for w in self.first_weights()]
        self.loss_of = torch.compile(loss_of, fullgraph=True, dynamic=False, options=SETTINGS[settings])
        self.reset()

    def first_weights(self):
        job = self.job
        return job.input_kernel, job.recurrent_kernel, job.bias, job.head_kernel, job.head_bias

    def reset(self):
        with torch.no_grad():
            for weight, first in zip(self.weights, self.first_weights()):
                weight.copy_(torch.from_numpy(first))
        self.adam = adam(self.weights)

    def step(self, pictures):
        loss = self.loss_of(self.weights, self.data.images, self.data.labels,
                            torch.from_numpy(pictures))
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.item()

    def correct(self):
        return self.data.correct(lambda rows: logits_of(self.weights, rows))


options = parse_options(threads=1, settings="default")
run(lambda job: Trainer(job, options.threads, options.settings), options)
