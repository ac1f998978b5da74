"""The promise on a GPU: the CPU's weights to the last bit; refusals."""
import functools
import pathlib
import re

from runs import write_small_data
from stages import Failed, NotRun

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONE_EPOCH = ("--epochs", 1)
SHARE_THE_GPU = {"NCCL_MULTI_RANK_GPU_ENABLE": "1", "NCCL_DEBUG": "WARN"}
KILL = ("--inject", "rank=1,step=50,kind=kill")
REFERENCE = "bits: 1 epoch on the CPU"


def published_hash():
    """The default run's, as README has it."""
    return re.search(r"Weights SHA-256: ([0-9a-f]{64})", (ROOT / "README.md").read_text())[1]


class Correctness:
    def __init__(self, lockstep, gpu):
        self.lockstep, self.gpu = lockstep, gpu
        self.one_epoch = None

    @functools.cached_property
    def small(self):
        """A data set of one step."""
        return write_small_data(self.lockstep.data, self.lockstep.scratch / "small")

    def expect_device(self, run, *words):
        """That the header names the GPU, and `words`; in a rehearsal it names none."""
        for word in (self.gpu["name"], *words) if self.gpu else ():
            if word not in run.header:
                raise Failed(f"'{word}' is not in the header: {run.header}")

    def expect_weights(self, run, expected):
        found = run.weights
        if expected is None:
            raise NotRun(f"there is nothing to compare with: {REFERENCE}")
        if found != expected:
            raise Failed(f"weights {found[:12]}, not {expected[:12]}: {run.header}")
        return found[:12]

    def cpu_epoch(self, budget):
        self.one_epoch = self.lockstep.train(budget, *ONE_EPOCH, device="cpu").weights
        return self.one_epoch[:12]

    def default_run(self, budget, device=None):
        run = self.lockstep.train(budget, device=device)
        found = self.expect_weights(run, published_hash())
        if not device:
            self.expect_device(run)
        return found

    def epoch(self, budget, *words, ranks=None, header=(), **variables):
        """One epoch on the GPU has the CPU's weights."""
        run = self.lockstep.train(budget, *ONE_EPOCH, *words, ranks=ranks, **variables)
        found = self.expect_weights(run, self.one_epoch)
        self.expect_device(run, *header)
        return found

    def by_nccl(self, ranks, *words):
        def work(budget):
            if not self.gpu:
                raise NotRun("a rehearsal has no GPU")
            try:
                return self.epoch(budget, "--comm", "nccl", *words, ranks=ranks,
                                  header=["over NCCL"], **SHARE_THE_GPU)
            except Failed as why:
                if "this build has no NCCL" in str(why):
                    raise NotRun(f"{why}; pack it with tests/gpu/pack --architecture "
                                 f"{self.gpu['capability']}") from None
                raise
        return work

    def by_mpi(self, ranks, *words):
        return lambda budget: self.epoch(budget, "--comm", "mpi", *words, ranks=ranks,
                                         **SHARE_THE_GPU)

    def mixed(self, budget):
        """Rank 0 takes the GPU, and leaves none."""
        run = self.lockstep.train(budget, *ONE_EPOCH, ranks=3, device="auto" if self.gpu else "cpu")
        if self.gpu and "on GPUs on 1 of 3 ranks" not in run.header:
            raise Failed(f"not one of three ranks on the GPU: {run.header}")
        return self.expect_weights(run, self.one_epoch)

    def recipe(self, *words):
        """Weights of other sizes and settings: the GPU's are the CPU's."""
        def work(budget):
            cpu = self.lockstep.train(budget, *ONE_EPOCH, *words, device="cpu")
            run = self.lockstep.train(budget, *ONE_EPOCH, *words)
            found = self.expect_weights(run, cpu.weights)
            self.expect_device(run)
            return found
        return work

    @staticmethod
    def newest_checkpoint(run):
        return max((run.folder / "checkpoints").iterdir())

    def resume(self, first, second):
        """An epoch on one device, the next on the other."""
        def work(budget):
            whole = self.lockstep.train(budget, "--epochs", 2, device="cpu")
            devices = [device if self.gpu else "cpu" for device in (first, second)]
            begun = self.lockstep.train(budget, *ONE_EPOCH, device=devices[0])
            self.expect_weights(begun, self.one_epoch)
            run = self.lockstep.train(budget, "--epochs", 2, "--resume",
                                      self.newest_checkpoint(begun), device=devices[1])
            self.expect_weights(run, whole.weights)
            if "Going on after step " not in run.out:
                raise Failed(f"did not go on from the checkpoint: {run.header}")
            return run.weights[:12]
        return work

    def refusal(self, text, *words, ranks=None, device="cuda", **variables):
        def work(budget):
            if not self.gpu:
                raise NotRun("a rehearsal has no GPU")
            run = self.lockstep.train(budget, *ONE_EPOCH, *words, ranks=ranks, device=device,
                                      data=self.small, **variables)
            lines = [line for line in run.err.splitlines() if line.startswith("lockstep: ")]
            if run.code != 2 or len(lines) != 1 or text not in lines[0]:
                raise Failed(f"exit code {run.code}, '{run.err.strip()}', not 2 and '{text}'")
            return lines[0].removeprefix("lockstep: ")
        return work

    def fallback(self, budget):
        """--device auto takes the CPU where no GPU is visible, and says so."""
        run = self.lockstep.train(budget, *ONE_EPOCH, device="auto", data=self.small,
                                  CUDA_VISIBLE_DEVICES="")
        run.weights
        if self.gpu and "on the CPU: no GPU is visible" not in run.header:
            raise Failed(f"does not say why it takes the CPU: {run.header}")
        return run.header.removeprefix("lockstep: ")

    def bits(self):
        """(stage, its seconds, work)."""
        yield REFERENCE, 30, self.cpu_epoch
        yield "bits: 1 epoch", 30, self.epoch
        yield "bits: default run", 60, self.default_run
        yield "bits: default run on the CPU", 60, lambda b: self.default_run(b, "cpu")

    def ranks(self):
        """Likewise: several of them, lost ones, other runs."""
        for ranks in (1, 2, 4):
            yield f"bits: NCCL, ranks on one GPU: {ranks}", 25, self.by_nccl(ranks)
        for ranks in (1, 2, 4):
            yield f"bits: MPI, ranks on one GPU: {ranks}", 25, self.by_mpi(ranks)
        yield "bits: 1 rank on the GPU, 2 on the CPU", 40, self.mixed
        yield "bits: NCCL, 1 of 3 ranks killed", 25, self.by_nccl(3, *KILL)
        yield "bits: MPI, 1 of 3 ranks killed", 25, self.by_mpi(3, *KILL)
        yield "bits: from the GPU to the CPU", 40, self.resume("cuda", "cpu")
        yield "bits: from the CPU to the GPU", 40, self.resume("cpu", "cuda")
        yield "bits: 37 units", 40, self.recipe("--hidden", 37)
        yield "bits: --recipe tuned", 40, self.recipe("--recipe", "tuned")

    def refusals(self):
        hidden = {"CUDA_VISIBLE_DEVICES": ""}
        yield "refusal: no GPU visible", 20, self.refusal("no GPU is visible", **hidden)
        yield "refusal: more ranks than GPUs", 30, self.refusal(
            "lower ranks have taken the only GPU", ranks=2)
        yield "refusal: NCCL with ranks on one GPU", 30, self.refusal(
            "not every rank has a GPU", "--comm", "nccl", ranks=2, device="auto")
        yield "refusal: NCCL on the CPU", 20, self.refusal(
            "--comm nccl sums in the memory of GPUs", "--comm", "nccl", device="cpu")
        yield "no GPU visible: --device auto", 20, self.fallback
