import json
import os
import pathlib
import tarfile
import tempfile
import unittest

from archives import Pack


class Archives(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name, "source")
        self.source.write_text("first")
        self.folder = pathlib.Path(folder.name, "pack")

    def pack(self, *names):
        """Whether each had to be written."""
        pack = Pack(self.folder)
        written = [pack.put(name, {"bin/program": self.source}) for name in names]
        pack.save(commit="f569a28")
        return written

    def packed(self, name):
        with tarfile.open(self.folder / name) as archive:
            return archive.extractfile("bin/program").read().decode()

    def test_what_has_not_changed_is_not_packed_again(self):
        self.assertEqual(self.pack("a.tar.xz"), [True])
        self.assertEqual(self.pack("a.tar.xz"), [False])
        self.source.write_text("second")
        self.assertEqual(self.pack("a.tar.xz"), [True])
        self.assertEqual(self.packed("a.tar.xz"), "second")

    def test_a_newer_file_of_the_same_size_is(self):
        self.pack("a.tar.xz")
        self.source.write_text("third")
        os.utime(self.source, (1, 1))
        self.assertEqual(self.pack("a.tar.xz"), [True])

    def test_one_that_is_gone_is_written_again(self):
        self.pack("a.tar.xz")
        (self.folder / "a.tar.xz").unlink()
        self.assertEqual(self.pack("a.tar.xz"), [True])

    def test_what_is_no_longer_packed_is_removed(self):
        self.pack("a.tar.xz", "b.tar.xz")
        self.pack("b.tar.xz")
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"b.tar.xz", "contents.json"})

    def test_contents_say_what_there_is(self):
        self.pack("a.tar.xz")
        contents = json.loads((self.folder / "contents.json").read_text())
        self.assertEqual(contents["commit"], "f569a28")
        self.assertEqual(contents["archives"]["a.tar.xz"]["bytes"],
                         (self.folder / "a.tar.xz").stat().st_size)


if __name__ == "__main__":
    unittest.main()
