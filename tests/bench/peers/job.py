"""The job that all programs do: MNIST as lockstep cuts it, lockstep's first weights and order."""
import gzip
import pathlib

import numpy
from safetensors.numpy import load_file

ROWS, COLUMNS, HIDDEN, CLASSES = 28, 28, 128, 10
BATCH = 128
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def read_idx(path):
    """The array of an IDX file of bytes, plain or .gz."""
    path = pathlib.Path(path)
    content = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    dimensions = content[3]
    sizes = numpy.frombuffer(content, ">u4", dimensions, 4)
    return numpy.frombuffer(content, "u1", offset=4 + 4 * dimensions).reshape(sizes)


class Job:
    """`start` is a folder that `lockstep bench --export` wrote."""

    def __init__(self, data, start):
        data, start = pathlib.Path(data), pathlib.Path(start)
        images = read_idx(data / "train-images-idx3-ubyte")
        labels = read_idx(data / "train-labels-idx1-ubyte").astype("i4")
        validation = len(images) // 12  # the first 5,000 of MNIST's 60,000
        self.images, self.labels = images[validation:], labels[validation:]
        self.test_images = read_idx(data / "t10k-images-idx3-ubyte")
        self.test_labels = read_idx(data / "t10k-labels-idx1-ubyte").astype("i4")
        order = numpy.array((start / "order.txt").read_text().split(), "i4")
        self.order = order.reshape(-1, BATCH)  # a step's training pictures
        weights = load_file(start / "start.safetensors")
        self.input_kernel = weights["rnn.weight_ih_l0"].T.copy()  # [columns][hidden]
        self.recurrent_kernel = weights["rnn.weight_hh_l0"].T.copy()  # [hidden][hidden]
        self.bias = weights["rnn.bias_ih_l0"]
        self.head_kernel = weights["head.weight"].T.copy()  # [hidden][classes]
        self.head_bias = weights["head.bias"]
