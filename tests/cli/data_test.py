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

    def setUp(self):
        super().setUp()
        digits = self.made_digits()
        for host in range(3):
            shutil.copytree(digits, self.folder / f"host{host}")

    def train(self, *words, ranks=2):
        """Rank N reads the directory hostN."""
        program, *rest = command(["train", "--threads", 1, "--hidden", 8, "--epochs", 1, "--out",
                                  "run", *words])
        wrapped = ["sh", "-c", 'exec "$0" "$@" --data host$OMPI_COMM_WORLD_RANK', program, *rest]
        mpirun = command([], ranks=ranks)[:-1]
        return subprocess.run(mpirun + wrapped, capture_output=True, text=True, timeout=100,
                              stdin=subprocess.DEVNULL, cwd=self.folder)

    def refused(self, text, *words, ranks=2):
        """With exit code 3, one line in which `text` stands, and nothing written."""
        ended = self.train(*words, ranks=ranks)
        self.assertEqual(ended.returncode, 3, ended.stdout + ended.stderr)
        lines = [line for line in ended.stderr.splitlines() if line.startswith("lockstep: ")]
        self.assertEqual(len(lines), 1, ended.stderr)
        self.assertIn(text, lines[0])
        self.assertNotIn("MPI_ERR", ended.stderr)
        self.assertEqual(list(self.folder.glob("run/checkpoints/step-*")), [])
        self.assertFalse((self.folder / "run/model.safetensors").exists())
        return lines[0]

    def change(self, host, name, place, value):
        """Gives the file another byte, of its items."""
        path = self.folder / f"host{host}" / name
        sizes, content = read_idx(path)
        content = bytearray(content)
        self.assertNotEqual(content[place], value)
        content[place] = value
        write_idx(path, sizes, content)

    def cut(self, host, count, side=28):
        """Leaves that host `count` training images, of side x side bytes of the old ones."""
        folder = self.folder / f"host{host}"
        _, images = read_idx(folder / "train-images-idx3-ubyte")
        _, labels = read_idx(folder / "train-labels-idx1-ubyte")
        write_idx(folder / "train-images-idx3-ubyte", (count, side, side),
                  images[:count * side * side])
        write_idx(folder / "train-labels-idx1-ubyte", (count,), labels[:count])

    def test_copies_are_as_good_as_one_set_also_where_some_are_packed(self):
        for name in self.files("host1"):
            compress(self.folder / "host1" / name)
        compress(self.folder / "host2/train-images-idx3-ubyte")
        expected = self.succeed("train", "--threads", 1, "--hidden", 8, "--epochs", 1, "--quiet",
                                "--data", "synthetic").split("SHA-256: ")[1]
        for ranks in (2, 3):
            ended = self.train(ranks=ranks)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            shutil.rmtree(self.folder / "run")
            self.assertEqual(ended.stdout.split("SHA-256: ")[1], expected)

    def test_other_pixels_are_refused(self):
        self.change(1, "train-images-idx3-ubyte", -1, 77)
        for ranks in (2, 3):
            line = self.refused("rank 1 (", ranks=ranks)
            self.assertIn("has other content in train-images; give all ranks the same files "
                          "(rank 1 reads host1)", line)

    def test_other_pixels_of_rank_0_and_of_the_test_set_are_refused_too(self):
        self.change(0, "t10k-images-idx3-ubyte", 0, 77)
        line = self.refused("rank 1 (", "--checkpoint-every", 1, ranks=3)
        self.assertEqual(line.count("has other content in t10k-images"), 2)

    def test_other_training_labels_are_refused(self):
        _, labels = read_idx(self.folder / "host1/train-labels-idx1-ubyte")
        self.change(1, "train-labels-idx1-ubyte", -1, (labels[-1] + 1) % 10)
        for ranks in (2, 3):
            self.refused("has other content in train-labels", ranks=ranks)

    def test_other_numbers_of_images_are_refused_at_the_start(self):
        self.cut(1, count=1200)
        for ranks in (2, 3):
            self.refused("has 1100 training images instead of 5500", ranks=ranks)
        self.assertFalse((self.folder / "run").exists())

    def test_more_images_than_rank_0_has_are_refused_at_the_start(self):
        self.cut(0, count=1200)
        self.refused("ranks the same files (rank 1 reads host1)", ranks=3)

    def test_images_of_another_size_are_refused_at_the_start(self):
        for host in (1, 2):
            self.cut(host, count=6000, side=14)
            images = self.folder / f"host{host}/t10k-images-idx3-ubyte"
            write_idx(images, (1000, 14, 14), read_idx(images)[1][:1000 * 14 * 14])
        for ranks in (2, 3):
            self.refused("has images of 14 x 14 instead of 28 x 28", ranks=ranks)

    def test_fewer_classes_are_refused_at_the_start(self):
        for name in ("train", "t10k"):
            path = self.folder / f"host1/{name}-labels-idx1-ubyte"
            (count,), labels = read_idx(path)
            write_idx(path, (count,), bytes(label % 9 for label in labels))
        for ranks in (2, 3):
            self.refused("has 9 classes instead of 10", ranks=ranks)

    def test_labels_that_only_one_of_them_has_are_refused(self):
        # The first training image is rank 0's, the last test image rank 1's.
        self.change(1, "train-labels-idx1-ubyte", 0, 255)
        self.change(1, "t10k-labels-idx1-ubyte", -1, 255)
        self.refused("host1/train-labels-idx1-ubyte: label 255", "--evaluate", "all")

    def test_a_run_that_goes_on_compares_them_too(self):
        self.assertEqual(self.train().returncode, 0)
        (self.folder / "run/summary.json").unlink()  # so that it has not finished
        self.change(1, "train-images-idx3-ubyte", -1, 77)
        before = sorted(self.folder.glob("run/checkpoints/step-*"))
        ended = self.train("--epochs", 2)
        self.assertEqual(ended.returncode, 3, ended.stdout + ended.stderr)
        self.assertIn("has other content in train-images", ended.stderr)
        self.assertEqual(sorted(self.folder.glob("run/checkpoints/step-*")), before)


if __name__ == "__main__":
    unittest.main()
