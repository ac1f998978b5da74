"""Holds the layering: app -> train -> { data, model, comm, optim, store, report } -> core.

Usage: layers_test.py SOURCE_FOLDER
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1))
MIDDLE = {"data", "model", "comm", "optim", "store", "report"}
MAY_INCLUDE = {"core": set(), "train": MIDDLE | {"core"}, "app": MIDDLE | {"core", "train"}}
MAY_INCLUDE.update({layer: {"core"} for layer in MIDDLE})
EXCEPTIONS = {("model", "lockstep/data/batch.hpp")}

SUFFIXES = {".hpp", ".cpp", ".cuh", ".cu"}

# Where a foreign library may be included: the files, as patterns below the source folder.
FOREIGN = {
    r"<mpi\.h>": r"src/comm/",
    r"<torch/": r"src/model/torch_engine\.cpp",
    r"<boost/": r"src/app/",
    r"<hwy/": r"src/model/simd/",
    r"<(zlib|png)\.h>": r"src/data/",
    r"<openssl/": r"src/core/sha256\.cpp",
    r"<(nlohmann|fmt)/": r"src/",
    r"<cuda": r"src/(.*\.cuh?$|core/cuda_survey\.cpp)",
    r"<nccl": r"src/comm/nccl_reducer\.cpp",
}


def sources():
    for folder in ("include/lockstep", "src"):
        for path in sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in SUFFIXES):
            yield path.relative_to(ROOT), re.findall(
                r'^\s*#\s*include\s+([<"][^>"]+[>"])', path.read_text(), re.MULTILINE)


def layer_of(path):
    return path.parts[2] if path.parts[0] == "include" else path.parts[1]


class LayersTest(unittest.TestCase):
    def test_there_are_sources_in_every_layer(self):
        self.assertEqual({layer_of(path) for path, _ in sources()}, set(MAY_INCLUDE))

    def test_no_layer_includes_one_that_it_must_not(self):
        for path, includes in sources():
            own = layer_of(path)
            for include in includes:
                match = re.match(r"[<\"](?:lockstep/|(?=\w+/\w+\.cuh))(\w+)/", include)
                if not match or match[1] == own or (own, include[1:-1]) in EXCEPTIONS:
                    continue
                self.assertIn(match[1], MAY_INCLUDE[own], f"{path} includes {include}")

    def test_foreign_libraries_stay_in_their_files(self):
        for path, includes in sources():
            for include in includes:
                for library, place in FOREIGN.items():
                    if re.match(library, include):
                        self.assertRegex(str(path), "^" + place, f"{path} includes {include}")


if __name__ == "__main__":
    unittest.main()
