"""PyTorch as its tutorials write it: nn.RNN, nn.Linear, Adam (fused)."""
import torch
from torch.nn import functional

from job import CLASSES, COLUMNS, HIDDEN
from measure import parse_options, run
from torch_job import TorchJob, adam


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.RNN(COLUMNS, HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, CLASSES)
        self.rnn.bias_hh_l0.requires_grad_(False)  # one bias, as in TensorFlow

    def load(self, job):
        weights = {"rnn.weight_ih_l0": job.input_kernel.T, "rnn.weight_hh_l0": job.recurrent_kernel.T,
                   "rnn.bias_ih_l0": job.bias, "rnn.bias_hh_l0": 0 * job.bias,
                   "head.weight": job.head_kernel.T, "head.bias": job.head_bias}
        self.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in weights.items()})

    def forward(self, rows):
        return self.head(self.rnn(rows)[1][0])


class Trainer:
    versions = f"torch {torch.__version__}"

    def __init__(self, job, threads, wrap=lambda network: network):
        torch.set_num_threads(threads)
        self.job, self.data = job, TorchJob(job)
        self.network = Network()
        self.parallel = wrap(self.network)
        self.reset()

    def reset(self):
        self.network.load(self.job)
        self.adam = adam(p for p in self.network.parameters() if p.requires_grad)

    def step(self, pictures):
        rows, labels = self.data.batch(torch.from_numpy(pictures))
        loss = functional.cross_entropy(self.parallel(rows), labels)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.item()

    def correct(self):
        return self.data.correct(self.network)


if __name__ == "__main__":
    options = parse_options(threads=1)
    run(lambda job: Trainer(job, options.threads), options)
