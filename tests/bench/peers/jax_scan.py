"""JAX: one jitted step with donated buffers, the rows by lax.scan, unrolled.

One device with as many threads as the process has processors, or (--devices 2) a device a processor,
each with its part of the batch (shard_map) and the gradients summed.
"""
import os

from measure import parse_options, run

options = parse_options(devices=1)
if options.devices > 1:  # before jax is loaded
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={options.devices}"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jax_job import adam, first_state, logits_of, loss_of, rows_of


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
        self.state = self.everywhere(first_state(self.job))

    def step(self, pictures):
        loss, self.state = self.jitted(self.state, self.images, self.labels, pictures)
        jax.block_until_ready(self.state)
        return float(loss)

    def correct(self):
        weights = jax.device_get(self.state["weights"])
        return int(self.right(weights, self.job.test_images, self.job.test_labels))


run(Trainer, options)
