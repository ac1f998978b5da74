"""PyTorch's DistributedDataParallel over Gloo: two processes of one thread, each pinned to a core."""
import os
import sys
import tempfile

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from job import BATCH
from measure import measure, parse_options, run
from torch_eager import Trainer as EagerTrainer

PROCESSES = 2


class Trainer(EagerTrainer):
    def __init__(self, job, rank):
        super().__init__(job, 1, lambda network: DistributedDataParallel(
            network, gradient_as_bucket_view=True, static_graph=True))
        share = BATCH // PROCESSES
        self.own = slice(rank * share, (rank + 1) * share)
        self.first = True

    def step(self, pictures):
        loss = super().step(pictures[self.own])
        if not self.first:
            return loss
        self.first = False
        mean = torch.tensor(loss, dtype=torch.float64)
        distributed.all_reduce(mean)
        return mean.item() / PROCESSES

    def correct(self):
        right = torch.tensor(super().correct() if distributed.get_rank() == 0 else 0)
        distributed.broadcast(right, 0)
        return right.item()


def train(rank, cores, store, options):
    os.sched_setaffinity(0, {cores[rank]})
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank,
                                   world_size=PROCESSES)
    report = run if rank == 0 else measure
    report(lambda job: Trainer(job, rank), options)
    distributed.destroy_process_group()


if __name__ == "__main__":
    options = parse_options()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < PROCESSES:
        sys.exit(f"{PROCESSES} processes need {PROCESSES} cores")
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(train, (cores, f"{folder}/store", options), PROCESSES)
