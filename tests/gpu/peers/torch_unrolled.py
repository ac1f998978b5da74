"""The network without cuDNN: the rows as a loop of ordinary kernels, two each way."""
import torch
from torch.autograd.function import once_differentiable


class Recurrence(torch.autograd.Function):
    """The last state. Autograd's own gradient of the loop would multiply and add once more a row for
    the recurrent weights, and copy each row's projection: here each weight's is one product."""

    @staticmethod
    def forward(context, rows, input_kernel, recurrent_kernel, bias):
        inputs = rows.flatten(0, 1)
        states = torch.addmm(bias, inputs, input_kernel).view(*rows.shape[:2], -1)
        states[0].tanh_()
        for t in range(1, len(states)):
            states[t].addmm_(states[t - 1], recurrent_kernel).tanh_()
        context.save_for_backward(inputs, states, recurrent_kernel)
        return states[-1]

    @staticmethod
    @once_differentiable
    def backward(context, gradient):
        inputs, states, recurrent_kernel = context.saved_tensors
        deltas = torch.empty_like(states)  # of the sums that tanh was taken of
        for t in reversed(range(len(states))):
            torch.ops.aten.tanh_backward.grad_input(gradient, states[t], grad_input=deltas[t])
            if t > 0:
                gradient = deltas[t] @ recurrent_kernel.t()
        all_deltas = deltas.flatten(0, 1)
        recurrent = states[:-1].flatten(0, 1).t() @ deltas[1:].flatten(0, 1)
        return None, inputs.t() @ all_deltas, recurrent, all_deltas.sum(0)


class Unrolled(torch.nn.Module):
    NAMES = ["input_kernel", "recurrent_kernel", "bias", "head_kernel", "head_bias"]

    def load(self, job):
        for name in self.NAMES:
            first = torch.from_numpy(getattr(job, name).copy())
            self.register_parameter(name, torch.nn.Parameter(first))

    def forward(self, rows):
        last = Recurrence.apply(rows, self.input_kernel, self.recurrent_kernel, self.bias)
        return torch.addmm(self.head_bias, last, self.head_kernel)
