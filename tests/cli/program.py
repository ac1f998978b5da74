"""Runs the program as a user does, and says how it must end."""

import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

LOCKSTEP = os.environ["LOCKSTEP"]
MPIRUN = os.environ.get("LOCKSTEP_MPIRUN", "")  # empty where the build has no MPI
needs_mpi = unittest.skipUnless(MPIRUN, "this build has no MPI")
HAS_ULFM = os.environ.get("LOCKSTEP_ULFM") == "1"
needs_ulfm = unittest.skipUnless(MPIRUN and HAS_ULFM, "this build's MPI has no ULFM")


def command(words, ranks=0, flags=()):
    """The command line; `ranks`: under mpirun, with these flags."""
    launcher = []
    if ranks:
        launcher = [MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]
        launcher += [*flags, "-n", str(ranks)]
    return [*launcher, LOCKSTEP, *map(str, words)]


def lockstep(*words, ranks=0, flags=(), mca=None, timeout=100, **how):
    """The ended process; `ranks`: under mpirun, with these flags; `mca`: settings of Open MPI, as
    variables."""
    environment = {k: v for k, v in os.environ.items() if k != "LOCKSTEP_DATA"} | (mca or {})
    return subprocess.run(command(words, ranks, flags), capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, env=environment, **how)


def children(process):
    """The process numbers of its children: of mpirun, the ranks."""
    path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in path.read_text().split()]


def newest_step(run):
    """Of the checkpoints in a run folder."""
    names = (path.stem for path in run.glob("checkpoints/step-*.safetensors"))
    return max((int(name.removeprefix("step-")) for name in names), default=0)


class ProgramTest(unittest.TestCase):
    """Has an empty folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def succeed(self, *words, **how):
        ended = lockstep(*words, **how)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended.stdout)
        return ended.stdout

    def fail_with(self, code, text, *words, **how):
        """Ends with the code and one line on standard error, in which `text` stands."""
        ended = lockstep(*words, **how)
        self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
        lines = ended.stderr.splitlines()
        if how.get("ranks"):  # mpirun has its say too
            lines = [line for line in lines if line.startswith("lockstep: ")]
        self.assertEqual(len(lines), 1, ended.stderr)
        self.assertTrue(lines[0].startswith("lockstep: "), lines[0])
        self.assertIn(text, lines[0])
        return ended

    def begin(self, *words, until, ranks=0):
        """The program at work: it has printed `until`."""
        process = subprocess.Popen(command(words, ranks), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if until in line:
                return process
        self.fail(process.stderr.read())

    def begin_checkpointed(self, run, *words, **how):
        """The program at work in the run folder: it has written a checkpoint."""
        before = newest_step(run)
        process = self.begin(*words, "--out", run, until="lockstep: ", **how)
        while newest_step(run) == before and process.poll() is None:
            time.sleep(0.001)
        return process

    def made_digits(self):
        """A folder with the made digits' four IDX files."""
        self.succeed("data", "synthetic", self.folder / "digits")
        return self.folder / "digits"

    def files(self, folder="."):
        return sorted(p.name for p in (self.folder / folder).iterdir())


def read_idx(path):
    """Sizes and bytes of an IDX file."""
    content = pathlib.Path(path).read_bytes()
    sizes = struct.unpack(f">{content[3]}I", content[4:4 + 4 * content[3]])
    return sizes, content[4 + 4 * content[3]:]


def write_idx(path, sizes, values, magic=None):
    header = struct.pack(">I", 0x800 + len(sizes) if magic is None else magic)
    path.write_bytes(header + struct.pack(f">{len(sizes)}I", *sizes) + bytes(values))


def compress(path):
    """Puts PATH.gz into the place of PATH, and returns its name."""
    compressed = path.with_name(path.name + ".gz")
    compressed.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    return compressed


def write_png(path, width, height, pixels):
    """A grey picture, a byte a pixel."""
    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    rows = b"".join(b"\0" + bytes(pixels[y * width:(y + 1) * width]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def read_json(path):
    return json.loads(pathlib.Path(path).read_text())
