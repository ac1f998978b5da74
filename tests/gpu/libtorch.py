"""lockstep's engine torch on the GPU, with the LibTorch of this machine's PyTorch."""
import pathlib
import sys

import machine
from stages import Failed, NotRun

EPOCHS = ("--engine", "torch", "--epochs", 3)
MODULE = "src/model/liblockstep_torch.so"
TOLERANCE = 1e-4


class LibTorch:
    """`packed`: None in a rehearsal with a build of this machine."""

    def __init__(self, correctness, packed):
        self.correctness, self.packed = correctness, packed
        self.lockstep = correctness.lockstep

    def environment(self):
        """For a program from the pack: it looks for its engine where it was built, and the engine for
        LibTorch."""
        if not self.packed or self.packed.built_here:
            return {}
        torch = machine.torch_folder(sys.executable)
        if not torch:
            raise NotRun(f"{sys.executable} has no torch")
        link(pathlib.Path(self.packed.contents["torch_library"]), self.packed.folder / MODULE)
        return {"LD_LIBRARY_PATH": str(torch / "lib")}

    def work(self, budget):
        """Not bit for bit: PyTorch's rounding is its own."""
        variables = self.environment()
        small = self.correctness.small
        cpu = self.lockstep.train(budget, *EPOCHS, device="cpu", data=small, **variables)
        if "has no LibTorch" in cpu.err:
            raise NotRun(cpu.err.strip())
        cpu.weights  # it went well
        run = self.lockstep.train(budget, *EPOCHS, data=small, **variables)
        run.weights
        self.correctness.expect_device(run)
        losses = [each.summary["test_loss"] for each in (cpu, run)]
        if abs(losses[1] / losses[0] - 1) > TOLERANCE:
            raise Failed(f"test loss {losses[1]} on the GPU, {losses[0]} on the CPU")
        return f"test loss {losses[1]:.6f} on both"


def link(wanted, module):
    """`wanted` leads to `module`, unless it is there already."""
    if not module.exists():
        raise NotRun("the pack has no engine torch: no LibTorch where it was made")
    if wanted.exists():
        return
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.unlink(missing_ok=True)
        wanted.symlink_to(module)
    except OSError as why:
        raise NotRun(f"the program looks for its engine at a place that cannot be made: {why}") from None
