"""JAX: one jitted step with donated buffers, the rows by lax.scan, unrolled.

One device with as many threads as the process has processors, or (--devices 2) a device a processor,
each with its part of the batch (shard_map) and the gradients summed.
"""
import os

from job import BETA1, BETA2, EPSILON, HIDDEN, LEARNING_RATE, ROWS
from measure import parse_options, run

options = parse_options(devices=1)
if options.devices > 1:  # before jax is loaded
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={options.devices}"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def rows_of(images):
    """[time][sample][column], in fp32."""
    return jnp.swapaxes(images.astype(jnp.float32) / 255, 0, 1)


def logits_of(weights, rows):
    def cell(state, row):
        inputs = row @ weights["input_kernel"] + state @ weights["recurrent_kernel"]
        return jnp.tanh(inputs + weights["bias"]), None

    first = jnp.zeros((rows.shape[1], HIDDEN))
    last, _ = jax.lax.scan(cell, first, rows, unroll=ROWS)
    return last @ weights["head_kernel"] + weights["head_bias"]


def loss_of(weights, rows, labels):
    log_probabilities = jax.nn.log_softmax(logits_of(weights, rows))
    return -jnp.mean(jnp.take_along_axis(log_probabilities, labels[:, None], 1))


def adam(state, gradients):
    """TensorFlow's form, as lockstep's."""
    t = state["step"] + 1
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, state["m"], gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state["v"], gradients)
    weights = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON),
                           state["weights"], m, v)
    return {"weights": weights, "m": m, "v": v, "step": t}


def step(state, images, labels, pictures, axis=None):
    loss, gradients = jax.value_and_grad(loss_of)(state["weights"], rows_of(images[pictures]),
                                                  labels[pictures])
    if axis:
        loss, gradients = jax.lax.pmean((loss, gradients), axis)
    return loss, adam(state, gradients)


class Trainer:
    versions = f"jax {jax.__version__}"

    def __init__(self, job):
        self.job = job
        self.mesh = Mesh(jax.devices(), "batch")
        self.images = self.everywhere(job.images)
        self.labels = self.everywhere(job.labels)
        self.jitted = jax.jit(self.parallel() if options.devices > 1 else step, donate_argnums=0)
        self.right = jax.jit(lambda weights, images, labels: jnp.sum(
            jnp.argmax(logits_of(weights, rows_of(images)), 1) == labels))
        self.reset()

    def parallel(self):
        one, parts = PartitionSpec(), PartitionSpec("batch")
        return jax.shard_map(lambda *given: step(*given, axis="batch"), mesh=self.mesh,
                             in_specs=(one, one, one, parts), out_specs=(one, one),
                             check_vma=False)

    def everywhere(self, value):
        return jax.device_put(value, NamedSharding(self.mesh, PartitionSpec()))

    def reset(self):
        names = ["input_kernel", "recurrent_kernel", "bias", "head_kernel", "head_bias"]
        weights = {name: getattr(self.job, name) for name in names}
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state = self.everywhere({"weights": weights, "m": zeros,
                                      "v": jax.tree.map(jnp.copy, zeros), "step": jnp.float32(0)})

    def step(self, pictures):
        loss, self.state = self.jitted(self.state, self.images, self.labels, pictures)
        jax.block_until_ready(self.state)
        return float(loss)

    def correct(self):
        weights = jax.device_get(self.state["weights"])
        return int(self.right(weights, self.job.test_images, self.job.test_labels))


run(Trainer, options)
