import pathlib
import tempfile
import unittest

from archives import Pack
from packed import Packed


class Unpack(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.packed = Packed(self.root / "pack", self.root)

    def put(self, name):
        file = self.root / name
        file.write_text(name)
        file.chmod(0o755)
        pack = Pack(self.root / "pack")
        pack.put("program.tar.xz", {name: file})
        pack.save(commit="f569a28", program="0123456789abcdef", architecture=90, nccl=None)

    def test_has_what_was_packed_last_and_nothing_else(self):
        for name in ("lockstep", "other"):
            self.put(name)
            self.assertEqual(self.packed.unpack(), "f569a28, SHA-256 0123456789ab, sm_90, no NCCL")
            self.assertEqual({path.name for path in self.packed.folder.iterdir()},
                             {name, "of", "mpirun.txt"})
            self.assertTrue((self.packed.folder / name).stat().st_mode & 0o100)

    def test_mpirun_is_the_one_that_came_along(self):
        self.put("lockstep")
        self.packed.unpack()
        self.assertEqual((self.root / "build/gpu/mpirun.txt").read_text(),
                         f"{self.root}/build/gpu/prefix/bin/mpirun\n")

    def test_is_not_done_again(self):
        self.put("lockstep")
        self.packed.unpack()
        (self.packed.folder / "lockstep").write_text("changed")
        self.packed.unpack()
        self.assertEqual((self.packed.folder / "lockstep").read_text(), "changed")

    def test_a_build_of_this_machine_stays(self):
        self.put("lockstep")
        self.packed.folder.mkdir(parents=True)
        (self.packed.folder / "CMakeCache.txt").touch()
        self.assertIn("was built here", self.packed.unpack())
        self.assertFalse((self.packed.folder / "lockstep").exists())

    def test_without_pack_and_build_the_way_to_it_is_told(self):
        self.assertIn("run tests/gpu/pack", self.packed.missing)
        self.put("lockstep")
        self.assertIsNone(self.packed.missing)


if __name__ == "__main__":
    unittest.main()
