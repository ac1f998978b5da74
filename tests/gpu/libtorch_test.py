import pathlib
import tempfile
import types
import unittest

import machine
from libtorch import MODULE, LibTorch, link
from stages import NotRun


class Engine(unittest.TestCase):
    """The place where the program looks for its engine."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.module = self.root / "there" / MODULE
        self.module.parent.mkdir(parents=True)
        self.module.write_text("engine")
        self.wanted = self.root / "built/in/here.so"

    def test_leads_to_what_was_unpacked(self):
        for _ in range(2):
            link(self.wanted, self.module)
            self.assertEqual(self.wanted.read_text(), "engine")

    def test_leads_nowhere_else_from_an_earlier_run(self):
        self.wanted.parent.mkdir(parents=True)
        self.wanted.symlink_to(self.root / "gone")
        link(self.wanted, self.module)
        self.assertEqual(self.wanted.read_text(), "engine")

    def test_is_not_run_where_it_cannot_be_made(self):
        (self.root / "built").write_text("no folder")
        with self.assertRaisesRegex(NotRun, "cannot be made"):
            link(self.wanted, self.module)

    def test_is_not_run_where_none_was_packed(self):
        with self.assertRaisesRegex(NotRun, "no engine torch"):
            link(self.wanted, self.root / "none.so")

    def environment(self, torch, built_here=False):
        self.addCleanup(setattr, machine, "torch_folder", machine.torch_folder)
        machine.torch_folder = lambda _: torch
        packed = types.SimpleNamespace(built_here=built_here, folder=self.root / "there",
                                       contents={"torch_library": str(self.wanted)})
        return LibTorch(types.SimpleNamespace(lockstep=None), packed).environment()

    def test_finds_this_machines_libtorch(self):
        self.assertEqual(self.environment(pathlib.Path("/x/torch")),
                         {"LD_LIBRARY_PATH": "/x/torch/lib"})
        self.assertTrue(self.wanted.exists())
        self.assertEqual(self.environment(None, built_here=True), {})

    def test_is_not_run_without_pytorch(self):
        with self.assertRaisesRegex(NotRun, "has no torch"):
            self.environment(None)


if __name__ == "__main__":
    unittest.main()
