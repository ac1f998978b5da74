import array
import hashlib
import json
import math
import pathlib
import shutil
import struct
import tempfile
import unittest

from program import ProgramTest, lockstep, read_json, write_png

SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-model-"))
RUN = SCRATCH / "run"


def setUpModule():
    ended = lockstep("train", "--data", "synthetic", "--epochs", 4, "--hidden", 32,
                     "--learning-rate", 0.003, "--out", RUN)
    assert ended.returncode == 0, ended.stderr


def tearDownModule():
    shutil.rmtree(SCRATCH)


def damaged_model(folder, change):
    """A copy of the model whose bytes went through `change`."""
    content = bytearray((RUN / "model.safetensors").read_bytes())
    path = folder / "model.safetensors"
    path.write_bytes(change(content))
    return path


def flip_last_bit(content):
    content[-1] ^= 1
    return content


class Evaluate(ProgramTest):
    def test_gives_the_figures_of_the_run(self):
        figures = json.loads(self.succeed("evaluate", "--model", RUN, "--data", "synthetic",
                                          "--json"))
        summary = read_json(RUN / "summary.json")
        for key in ["test_loss", "test_accuracy", "validation_loss", "validation_accuracy"]:
            self.assertEqual(figures[key], summary[key], key)

    def test_prints_them_as_the_article_does_and_names_made_data(self):
        text = self.succeed("evaluate", "--model", RUN / "model.safetensors",
                            "--data", "synthetic")
        self.assertRegex(text, r"\A\[synthetic\] Val Loss: \d\.\d{3}, Val Acc: \d\.\d{3}\n"
                               r"\[synthetic\] Test Loss: \d\.\d{3}, Test Acc: \d\.\d{3}\n\Z")

    def test_engines_and_threads_change_no_digit(self):
        words = ["evaluate", "--model", RUN, "--data", "synthetic", "--json"]
        expected = self.succeed(*words)
        self.assertEqual(self.succeed(*words, "--engine", "reference", "--threads", 3), expected)


class ModelFile:
    """A safetensors file: its header's length, the header, and the tensors' bytes."""

    def __init__(self, path):
        content = path.read_bytes()
        length = 8 + int.from_bytes(content[:8], "little")
        self.header, self.data = content[:length], bytearray(content[length:])
        self.tensors = json.loads(self.header[8:])
        self.sha256 = self.tensors.pop("__metadata__")["weights_sha256"]

    def floats(self, name):
        begin, end = self.tensors[name]["data_offsets"]
        return array.array("f", bytes(self.data[begin:end]))

    def transposed(self, name):
        rows, columns = self.tensors[name]["shape"]
        values = self.floats(name)
        return array.array("f", [values[r * columns + c] for c in range(columns) for r in range(rows)])

    def fill(self, name, value):
        begin, end = self.tensors[name]["data_offsets"]
        self.data[begin:end] = struct.pack("<f", value) * ((end - begin) // 4)

    def write(self, path):
        """With the SHA-256 of its weights, so that it is intact."""
        block = b"".join(part.tobytes() for part in (
            self.transposed("rnn.weight_ih_l0"), self.transposed("rnn.weight_hh_l0"),
            self.floats("rnn.bias_ih_l0"), self.transposed("head.weight"), self.floats("head.bias")))
        sha256 = hashlib.sha256(block).hexdigest()
        path.write_bytes(self.header.replace(self.sha256.encode(), sha256.encode()) + self.data)
        return path


def changed_model(folder, name, place, value):
    """An intact copy of the model with another value in a tensor."""
    file = ModelFile(RUN / "model.safetensors")
    struct.pack_into("<f", file.data, file.tensors[name]["data_offsets"][0] + 4 * place, value)
    return file.write(folder / "model.safetensors")


class NotFinite(ProgramTest):
    """Training never writes such a model, and no figure of one is printed."""

    def refused(self, model, *words):
        ended = lockstep(*words, "--model", model)
        self.assertEqual((ended.returncode, ended.stdout), (4, ""), ended.stderr)
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        return ended.stderr

    def evaluated(self, *change):
        return self.refused(changed_model(self.folder, *change), "evaluate", "--data", "synthetic")

    def predicted(self, model):
        picture = self.folder / "digit.png"
        write_png(picture, 28, 28, bytes(784 - 28) + bytes([255]) * 28)
        return self.refused(model, "predict", picture)

    def test_a_changed_model_is_read_where_it_is_finite(self):
        model = changed_model(self.folder, "head.bias", 3, 0.25)
        self.succeed("evaluate", "--model", model, "--data", "synthetic")

    def test_a_weight_is_named(self):
        for value in (math.nan, math.inf, -math.inf):
            line = self.evaluated("head.bias", 3, value)
            self.assertIn("model.safetensors: value 3 of head bias is", line)

    def test_nothing_is_predicted(self):
        self.predicted(changed_model(self.folder, "rnn.bias_ih_l0", 0, math.nan))

    def test_nothing_is_predicted_where_finite_weights_overflow(self):
        file = ModelFile(RUN / "model.safetensors")
        for name in ("rnn.bias_ih_l0", "head.weight"):
            file.fill(name, 3e38)
        line = self.predicted(file.write(self.folder / "model.safetensors"))
        self.assertRegex(line, r"model.safetensors: its probabilities for \S+/digit.png are not finite")

    def test_a_loss_beyond_what_can_be_added_names_its_image(self):
        line = self.evaluated("head.bias", 3, 1e6)
        self.assertRegex(line, r"model.safetensors: its loss on validation image \d+ \(from 0\) is not finite or is at least 16384")


class Inspect(ProgramTest):
    def test_lists_the_tensors_that_pytorch_loads(self):
        held = json.loads(self.succeed("inspect", "--model", RUN, "--json"))
        shapes = {name: tensor["shape"] for name, tensor in held["tensors"].items()}
        self.assertEqual(shapes, {
            "rnn.weight_ih_l0": [32, 28], "rnn.weight_hh_l0": [32, 32], "rnn.bias_ih_l0": [32],
            "rnn.bias_hh_l0": [32], "head.weight": [10, 32], "head.bias": [10]})
        self.assertEqual(held["metadata"]["data"], "synthetic")
        self.assertEqual(held["metadata"]["hidden"], "32")

    def test_names_the_sum_of_the_summary(self):
        text = self.succeed("inspect", "--model", RUN)
        self.assertIn("Weights SHA-256: " + read_json(RUN / "summary.json")["weights_sha256"], text)


class DamagedModel(ProgramTest):
    def refused(self, text, path):
        self.fail_with(6, text, "inspect", "--model", path)
        self.fail_with(6, text, "evaluate", "--data", "synthetic", "--model", path)

    def test_missing(self):
        self.refused("nowhere", self.folder / "nowhere")

    def test_run_folder_without_a_model(self):
        self.refused("model.safetensors", self.folder)

    def test_a_changed_weight(self):
        path = damaged_model(self.folder, flip_last_bit)
        self.refused("do not have the SHA-256", path)

    def test_cut_short(self):
        for size in [0, 7, 100, -1]:
            self.refused("model.safetensors", damaged_model(self.folder, lambda c: c[:size]))

    def test_an_endless_header(self):
        self.refused("model.safetensors",
                     damaged_model(self.folder, lambda c: b"\xff" * 8 + c[8:]))

    def test_sizes_beyond_the_file(self):
        change = lambda c: c.replace(b'"hidden":"32"', b'"hidden":"99"')
        self.refused("rnn.weight_ih_l0", damaged_model(self.folder, change))


if __name__ == "__main__":
    unittest.main()
