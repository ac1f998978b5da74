import shutil
import subprocess
import unittest

from program import ProgramTest, command, compress, needs_mpi, read_idx, write_idx


class Data(ProgramTest):
    def test_info_describes_the_made_digits(self):
        text = self.succeed("data", "info", "--data", "synthetic")
        for part in ["synthetic", "5500 training, 500 validation, 1000 test", "28 rows x 28",
                     "Classes: 10"]:
            self.assertIn(part, text)

    def test_made_digits_are_written_as_four_files(self):
        digits = self.made_digits()
        self.assertEqual(self.files("digits"),
                         ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
                          "train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
        self.assertEqual(read_idx(digits / "train-images-idx3-ubyte")[0], (6000, 28, 28))
        self.assertIn("5500 training", self.succeed("data", "info", digits))

    def test_verify_prints_the_sum_of_every_file_and_refuses_unknown_ones(self):
        digits = self.made_digits()
        ended = self.fail_with(3, "not those of MNIST", "data", "verify", digits)
        self.assertEqual(len(ended.stdout.splitlines()), 4)
        self.assertRegex(ended.stdout, r"(?m)^[0-9a-f]{64}  \S*train-images")

    def test_made_digits_need_a_place_that_can_be_written(self):
        (self.folder / "file").write_text("")
        self.fail_with(3, "file", "data", "synthetic", self.folder / "file" / "digits")
        self.assertEqual(self.files(), ["file"])


class DamagedData(ProgramTest):
    """Every command that reads data refuses it in one line, and train makes no run folder."""

    def setUp(self):
        super().setUp()
        self.digits = self.made_digits()
        self.images = self.digits / "train-images-idx3-ubyte"
        self.labels = self.digits / "train-labels-idx1-ubyte"
        self.test_labels = self.digits / "t10k-labels-idx1-ubyte"

    def refused(self, text, **how):
        out = self.folder / "run"
        self.fail_with(3, text, "train", "--data", self.digits, "--out", out, "--epochs", "1",
                       **how)
        self.assertFalse(out.exists())

    def test_missing_folder(self):
        self.digits = self.folder / "nowhere"
        self.refused("launch/fetch-mnist")

    def test_missing_file(self):
        self.labels.unlink()
        self.refused("train-labels")

    def test_file_cut_short(self):
        self.images.write_bytes(self.images.read_bytes()[:-1])
        self.refused("train-images")

    def test_header_cut_short(self):
        self.images.write_bytes(self.images.read_bytes()[:7])
        self.refused("train-images")

    def test_empty_file(self):
        self.images.write_bytes(b"")
        self.refused("train-images")

    def test_gz_cut_short(self):
        compressed = compress(self.images)
        compressed.write_bytes(compressed.read_bytes()[:-9])
        self.refused("train-images-idx3-ubyte.gz")

    def test_gz_with_a_flipped_bit(self):
        compressed = compress(self.images)
        content = bytearray(compressed.read_bytes())
        content[len(content) // 2] ^= 1
        compressed.write_bytes(content)
        self.refused("train-images-idx3-ubyte.gz")

    def test_wrong_magic(self):
        write_idx(self.labels, *read_idx(self.labels), magic=0x803)
        self.refused("train-labels")

    def test_counts_of_pictures_and_labels_differ(self):
        (count,), labels = read_idx(self.labels)
        write_idx(self.labels, (count - 1,), labels[:-1])
        self.refused("6000")

    def test_label_of_a_class_that_training_has_not(self):
        (count,), labels = read_idx(self.test_labels)
        write_idx(self.test_labels, (count,), b"\x63" + labels[1:])
        self.refused("99")

    def test_label_far_out_of_range(self):
        (count,), labels = read_idx(self.labels)
        write_idx(self.labels, (count,), labels[:-1] + b"\xff")
        self.refused("train-labels")

    def test_sizes_that_overflow(self):
        write_idx(self.images, (0xffffffff, 0xffffffff, 0xffffffff), b"\0" * 64)
        self.refused("train-images")

    @needs_mpi
    def test_several_ranks_say_it_once(self):
        self.images.write_bytes(self.images.read_bytes()[:-1])
        self.refused("train-images", ranks=3)


@needs_mpi
class DataOfSeveralHosts(ProgramTest):
    """Each rank reads files of its own, in place of a host's."""

    def train(self, *words):
        """On two ranks, of which rank N reads the folder hostN."""
        program, *rest = command(["train", "--threads", 1, "--hidden", 8, "--epochs", 1, *words])
        wrapped = ["sh", "-c", 'exec "$0" "$@" --data host$OMPI_COMM_WORLD_RANK', program, *rest]
        mpirun = command([], ranks=2)[:-1]
        return subprocess.run(mpirun + wrapped, capture_output=True, text=True, timeout=100,
                              stdin=subprocess.DEVNULL, cwd=self.folder)

    def test_a_test_label_that_only_one_of_them_has_is_refused(self):
        digits = self.made_digits()
        for host in ("host0", "host1"):
            shutil.copytree(digits, self.folder / host)
        self.assertEqual(self.train("--evaluate", "all").returncode, 0)
        # The first training image is rank 0's, the last test image rank 1's.
        for name, place in (("train", 0), ("t10k", -1)):
            path = self.folder / f"host1/{name}-labels-idx1-ubyte"
            (count,), labels = read_idx(path)
            labels = bytearray(labels)
            labels[place] = 255
            write_idx(path, (count,), labels)
        ended = self.train("--evaluate", "all")
        self.assertEqual(ended.returncode, 3, ended.stdout + ended.stderr)
        self.assertIn("a test image has the label 255, but rank 0's data have 10 classes",
                      ended.stderr)


if __name__ == "__main__":
    unittest.main()
