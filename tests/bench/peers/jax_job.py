"""What the JAX peers share: the network, its loss, Adam, the first state."""
import jax
import jax.numpy as jnp

from job import BETA1, BETA2, EPSILON, HIDDEN, LEARNING_RATE, ROWS


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


def loss_of(weights, rows, labels, logits_of=logits_of):
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


def first_state(job):
    names = ["input_kernel", "recurrent_kernel", "bias", "head_kernel", "head_bias"]
    weights = {name: getattr(job, name) for name in names}
    zeros = jax.tree.map(jnp.zeros_like, weights)
    return {"weights": weights, "m": zeros, "v": jax.tree.map(jnp.copy, zeros), "step": jnp.float32(0)}
