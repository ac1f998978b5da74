"""JAX: one or several steps in a jitted call, with donated buffers, the rows by lax.scan, unrolled."""
import os

from timing import parse_options, run

options = parse_options(own_gradient="the recurrent weights' gradient as one product for all rows")
os.environ["JAX_PLATFORMS"] = options.device  # before jax is loaded

import jax
import jax.numpy as jnp

from jax_job import adam, first_state, loss_of, rows_of
from jax_recurrence import last_state, last_state_own_gradient, logits_with

jax.config.update("jax_default_matmul_precision", "highest")  # fp32, not TF32
logits_of = logits_with(last_state_own_gradient if options.own_gradient else last_state)


def step(state, data):
    images, labels, order = data
    pictures = order[state["step"].astype(jnp.int32) % len(order)]
    gradients = jax.grad(loss_of)(state["weights"], rows_of(images[pictures]), labels[pictures],
                                  logits_of)
    return adam(state, gradients)


def steps(state, data):
    if options.steps_per_launch == 1:
        return step(state, data)
    return jax.lax.fori_loop(0, options.steps_per_launch, lambda _, state: step(state, data), state)


class Trainer:
    versions = f"jax {jax.__version__}"

    def __init__(self, job, _):
        self.job = job
        self.data = jax.device_put((job.images, job.labels, job.order))
        self.state = jax.device_put(first_state(job))
        self.jitted = jax.jit(steps, donate_argnums=0)

    def first_loss(self):
        images, labels, order = self.data
        pictures = order[0]
        return float(jax.jit(loss_of, static_argnums=3)(
            self.state["weights"], rows_of(images[pictures]), labels[pictures], logits_of))

    def run(self, steps):
        for _ in range(steps // options.steps_per_launch):
            self.state = self.jitted(self.state, self.data)

    def wait(self):
        jax.block_until_ready(self.state)

    def correct(self):
        found = jax.jit(logits_of)(self.state["weights"], rows_of(self.job.test_images))
        return int((found.argmax(1) == self.job.test_labels).sum())


run(Trainer, options)
