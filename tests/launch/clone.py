"""A copy of launch/ in a folder of its own, and what its scripts say."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

LAUNCH = pathlib.Path(__file__).resolve().parents[2] / "launch"


class CloneTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-launch-"))
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(LAUNCH, self.root / "launch")

    def script(self, name, *words, **variables):
        return subprocess.run([self.root / "launch" / name, *map(str, words)], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=100, cwd="/",
                              env={**os.environ, **variables})
