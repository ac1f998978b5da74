"""What tests/gpu/pack packed, put where it runs: into build/gpu, for launch/run --preset gpu."""
import json
import pathlib
import shutil
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESET = "gpu"


class Packed:
    """`folder` is the build, whether CMake made it here or it comes from the pack."""

    def __init__(self, pack, root=ROOT):
        self.pack, self.folder = pack, root / "build" / PRESET
        self.index = pack / "contents.json"

    @property
    def built_here(self):
        return (self.folder / "CMakeCache.txt").exists()

    @property
    def missing(self):
        """A line with the way to it, or None if the program is there or can be unpacked."""
        if self.built_here or self.index.exists():
            return None
        return (f"no {self.pack}: run tests/gpu/pack where there is nvcc and a network, and bring that "
                "folder")

    @property
    def contents(self):
        return json.loads(self.index.read_text())

    def unpack(self, _=None):
        """Once for each pack. Returns what is there."""
        if self.built_here:
            return f"{self.folder} was built here"
        stamp, state = self.folder / "of", self.index.read_text()
        if not stamp.exists() or stamp.read_text() != state:
            self.extract()
            stamp.write_text(state)
        contents = self.contents
        return (f"{contents['commit']}, SHA-256 {contents['program'][:12]}, "
                f"sm_{contents['architecture']}, {contents['nccl'] or 'no NCCL'}")

    def extract(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in self.contents["archives"]:
            with tarfile.open(self.pack / name) as archive:
                archive.extraction_filter = getattr(tarfile, "data_filter", None)  # from 3.11.4 on
                archive.extractall(self.folder)
        (self.folder / "mpirun.txt").write_text(f"{self.folder}/prefix/bin/mpirun\n")
