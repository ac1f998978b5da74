"""A training on so few pictures that it takes a second."""

import gzip
import math
import pathlib
import struct
import subprocess

from faulty_run import PRESET, ROOT

PROGRAM = ROOT / "build" / PRESET / "lockstep"
EPOCHS = 3
STEPS_PER_EPOCH = 8  # of the default 128 pictures
STEPS = EPOCHS * STEPS_PER_EPOCH
TRAINING_FILE, TEST_FILE = 1200, 200  # pictures
VALIDATION = TRAINING_FILE // 12  # the first of them
COLUMNS, HIDDEN, CLASSES = 28, 32, 10
PARAMETERS = HIDDEN * (COLUMNS + HIDDEN + 1) + CLASSES * (HIDDEN + 1)
OPTIONS = ["--epochs", EPOCHS, "--hidden", HIDDEN, "--threads", 1]

NAMES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}


def read_idx(folder, name):
    """The sizes and the bytes of an IDX file, plain or gzip."""
    plain = pathlib.Path(folder) / name
    packed = plain.with_name(name + ".gz")
    if plain.exists():
        content = plain.read_bytes()
    elif packed.exists():
        content = gzip.decompress(packed.read_bytes())
    else:
        raise SystemExit(f"no {name} in {folder}: name a folder of IDX files with --data")
    dimensions = content[3]
    sizes = struct.unpack_from(f">{dimensions}I", content, 4)
    return sizes, content[4 + 4 * dimensions:]


def write_idx(path, sizes, items):
    path.write_bytes(struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes) + items)


def cut(source, folder):
    """The first pictures of the data set `source`, a folder or "synthetic"."""
    if source == "synthetic":
        source = folder / "whole"
        subprocess.run([PROGRAM, "data", "synthetic", source], check=True, stdout=subprocess.DEVNULL)
    small = folder / "small"
    small.mkdir()
    for part, count in (("train", TRAINING_FILE), ("test", TEST_FILE)):
        for name in NAMES[part]:
            sizes, items = read_idx(source, name)
            size = math.prod(sizes[1:])
            write_idx(small / name, (count, *sizes[1:]), items[:count * size])
    return small
