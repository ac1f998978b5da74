import pathlib
import tarfile
import tempfile
import unittest

import build

CMAKE = """-- The CXX compiler identification is GNU 13.3.0
CMake Error at cmake/Mpi.cmake:21 (message):
  No Open MPI wheel in /x: run launch/setup, or say
  -DLOCKSTEP_MPI=system
Call Stack (most recent call first):
  CMakeLists.txt:32 (include)
"""
COMPILER = """[1/9] Building CXX object error.cpp.o
a.cpp:3:10: fatal error: fmt/format.h: No such file or directory
ninja: build stopped: subcommand failed.
"""


class FirstError(unittest.TestCase):
    def test_is_cmakes_own_text(self):
        self.assertEqual(build.first_error(CMAKE), "No Open MPI wheel in /x: run launch/setup, or say "
                                                   "-DLOCKSTEP_MPI=system")

    def test_is_the_compilers_line(self):
        self.assertEqual(build.first_error(COMPILER), COMPILER.splitlines()[1])

    def test_is_the_last_line_of_who_names_none(self):
        self.assertEqual(build.first_error("some words\nKilled\n"), "Killed")


class Unpack(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pack = pathlib.Path(folder.name, "pack")
        self.pack.mkdir()
        self.addCleanup(setattr, build, "PACKED", build.PACKED)
        build.PACKED = pathlib.Path(folder.name, "packed")

    def put(self, name, archive="a.tar.xz"):
        file = self.pack / name
        file.write_text(name)
        with tarfile.open(self.pack / archive, "w:xz") as content:
            content.add(file, name)

    def test_has_what_was_packed_last_and_nothing_else(self):
        for name in ("first", "second"):
            self.put(name)
            build.unpack(self.pack, 90)
            self.assertEqual({p.name for p in build.PACKED.iterdir()}, {name, "of"})

    def test_takes_nccl_only_for_the_gpu_that_is_there(self):
        self.put("nccl", "nccl-90.tar.xz")
        build.unpack(self.pack, 80)
        self.assertFalse((build.PACKED / "nccl").exists())
        build.unpack(self.pack, 90)
        self.assertTrue((build.PACKED / "nccl").exists())

    def test_is_not_done_again(self):
        self.put("first")
        build.unpack(self.pack, 90)
        (build.PACKED / "first").write_text("changed")
        build.unpack(self.pack, 90)
        self.assertEqual((build.PACKED / "first").read_text(), "changed")


class Configuration(unittest.TestCase):
    def test_what_was_packed_is_looked_for_where_it_was_unpacked(self):
        words = " ".join(build.configuration(True, 90, None))
        self.assertIn(f"-DLOCKSTEP_PREFIX={build.PACKED}/prefix", words)
        self.assertIn("-DCMAKE_CUDA_ARCHITECTURES=90 ", words)
        self.assertIn("-DLOCKSTEP_TORCH_DIR=off", words)

    def test_without_a_pack_the_machines_own_packages_are_taken(self):
        words = " ".join(build.configuration(False, 80, pathlib.Path("/x/torch")))
        self.assertNotIn("PREFIX", words)
        self.assertIn("-DLOCKSTEP_TORCH_DIR=/x/torch", words)


if __name__ == "__main__":
    unittest.main()
