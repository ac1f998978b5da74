"""`predict` reads a user's own images."""

import collections
import json
import os
import pathlib
import shutil
import tempfile
import unittest

from program import ProgramTest, lockstep, read_idx, write_png

SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-predict-"))
RUN = SCRATCH / "run"
CASES = pathlib.Path(__file__).resolve().parent.parent / "cases" / "predict"
MNIST = pathlib.Path(os.environ["LOCKSTEP_MNIST"])
needs_mnist = unittest.skipUnless((MNIST / "train-images-idx3-ubyte").exists(),
                                  f"no MNIST in {MNIST}; run launch/fetch-mnist")


def setUpModule():
    ended = lockstep("train", "--data", "synthetic", "--epochs", 4, "--hidden", 32,
                     "--learning-rate", 0.003, "--out", RUN)
    assert ended.returncode == 0, ended.stderr
    lockstep("data", "synthetic", SCRATCH / "digits")


def tearDownModule():
    shutil.rmtree(SCRATCH)


class PredictTest(ProgramTest):
    def image(self, number):
        """A test image as PNG, and its label."""
        _, pixels = read_idx(SCRATCH / "digits" / "t10k-images-idx3-ubyte")
        _, labels = read_idx(SCRATCH / "digits" / "t10k-labels-idx1-ubyte")
        path = self.folder / f"{number}.png"
        write_png(path, 28, 28, pixels[number * 784:(number + 1) * 784])
        return path, labels[number]

    def damaged(self):
        path, _ = self.image(7)
        cut = self.folder / "cut.png"
        cut.write_bytes(path.read_bytes()[:-30])
        return cut


class Predict(PredictTest):
    def test_reads_most_of_the_test_images(self):
        images = [self.image(i) for i in range(50)]
        out = self.succeed("predict", "--model", RUN, "--json", *[p for p, _ in images])
        answers = json.loads(out)
        self.assertEqual([a["file"] for a in answers], [str(p) for p, _ in images])
        right = sum(a["digit"] == label for a, (_, label) in zip(answers, images))
        self.assertGreater(right, 30)
        for answer in answers:
            probabilities = answer["probabilities"]
            self.assertEqual(len(probabilities), 10)
            self.assertAlmostEqual(sum(probabilities), 1, places=5)
            self.assertEqual(probabilities.index(max(probabilities)), answer["digit"])

    def test_prints_the_digit_and_ten_probabilities(self):
        path, _ = self.image(0)
        line = self.succeed("predict", "--model", RUN, path)
        self.assertRegex(line, r"\A\S+/0\.png: \d(\s+\d: [01]\.\d{4}){10}\n\Z")

    def test_a_model_that_does_not_say_how_its_images_look_takes_them_for_mnists(self):
        content = (RUN / "model.safetensors").read_bytes()
        old = self.folder / "old.safetensors"
        for key in (b"background", b"ink", b"extent", b"centre", b"kind"):
            content = content.replace(b'"image_' + key, b'"other_' + key)
        old.write_bytes(content)
        ended = lockstep("predict", "--model", old, CASES / "framed__3.png")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stderr, r"\Alockstep: note: \S+old.safetensors does not say how "
                                       r"its images look, .* as for MNIST; [^\n]*\n\Z")
        self.assertIn("framed__3.png: ", ended.stdout)


class SomeFail(PredictTest):
    """What can be read is, and what can't be is named."""

    def words(self):
        good, other = self.image(0)[0], self.image(1)[0]
        return good, self.damaged(), other

    def test_the_others_are_printed(self):
        good, cut, other = self.words()
        ended = self.fail_with(3, f"{cut}: is cut short", "predict", "--model", RUN,
                               good, cut, other)
        self.assertEqual([line.split(": ")[0] for line in ended.stdout.splitlines()],
                         [str(good), str(other)])

    def test_json_says_in_its_place_why(self):
        good, cut, other = self.words()
        ended = self.fail_with(3, str(cut), "predict", "--json", "--model", RUN, good, cut, other)
        answers = json.loads(ended.stdout)
        self.assertEqual([a["file"] for a in answers], [str(good), str(cut), str(other)])
        self.assertEqual(list(answers[1]), ["file", "error"])
        self.assertIn("is cut short", answers[1]["error"])
        alone = json.loads(self.succeed("predict", "--json", "--model", RUN, good, other))
        self.assertEqual([answers[0], answers[2]], alone)

    def test_each_is_named_in_a_line(self):
        _, cut, _ = self.words()
        text = self.folder / "text.png"
        text.write_text("no image")
        missing = self.folder / "missing.png"
        ended = lockstep("predict", "--json", "--model", RUN, cut, text, missing, self.folder)
        self.assertEqual(ended.returncode, 3)
        lines = ended.stderr.splitlines()
        self.assertEqual(len(lines), 4, ended.stderr)
        for line, path in zip(lines, (cut, text, missing, self.folder)):
            self.assertTrue(line.startswith(f"lockstep: {path}: "), line)
        self.assertEqual([list(a) for a in json.loads(ended.stdout)], [["file", "error"]] * 4)

    def test_one_alone(self):
        for path in (self.damaged(), self.folder / "nowhere.png"):
            ended = self.fail_with(3, str(path), "predict", "--model", RUN, path)
            self.assertEqual(ended.stdout, "")


@needs_mnist
class Cases(ProgramTest):
    """tests/cases/predict: NAME__D.png shows the digit D, prepared in the style NAME."""

    @classmethod
    def setUpClass(cls):
        cls.run_folder = SCRATCH / "article"  # 10 epochs, a few seconds
        ended = lockstep("train", "--data", MNIST, "--out", cls.run_folder, timeout=900)
        assert ended.returncode == 0, ended.stderr

    def test_at_least_four_of_five_are_right_in_every_style(self):
        out = self.succeed("predict", "--model", self.run_folder, "--json",
                           *sorted(CASES.glob("*__?.png")))
        right = collections.Counter()
        for answer in json.loads(out):
            style, digit = pathlib.Path(answer["file"]).stem.split("__")
            right[style] += answer["digit"] == int(digit)
        self.assertEqual(len(right), 6)
        self.assertEqual({style: n for style, n in right.items() if n < 4}, {})

    def test_a_checkpoint_prepares_them_as_the_model_does(self):
        newest = max(self.run_folder.glob("checkpoints/step-*.safetensors"))
        image = CASES / "gradient_paper__5.png"
        self.assertEqual(self.succeed("predict", "--model", newest, image),
                         self.succeed("predict", "--model", self.run_folder, image))


if __name__ == "__main__":
    unittest.main()
