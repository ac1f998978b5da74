"""Builds lockstep for this machine's GPU, from what was packed or from what launch/setup installed."""
import os
import pathlib
import platform
import re
import shutil
import tarfile

import machine
from stages import Failed, last_line

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESET = "gpu"  # the build is build/gpu, so that launch/run --preset gpu finds it
PACKED = ROOT / "build/gpu-packed"


def unpack(pack, capability):
    """Into PACKED, once for each pack; NCCL only if it has code for this GPU."""
    stamp = PACKED / "of"
    archives = [a for a in sorted(pack.glob("*.tar.xz"))
                if not a.name.startswith("nccl-") or a.name == f"nccl-{capability}.tar.xz"]
    state = "".join(f"{a.name} {a.stat().st_size} {a.stat().st_mtime_ns}\n" for a in archives)
    if stamp.exists() and stamp.read_text() == state:
        return
    shutil.rmtree(PACKED, ignore_errors=True)
    PACKED.mkdir(parents=True)
    for archive in archives:
        with tarfile.open(archive) as content:
            content.extractall(PACKED)
    stamp.write_text(state)


def configuration(packed, capability, torch):
    """CMake's words."""
    words = ["-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF", "-DLOCKSTEP_CUDA=on",
             f"-DCMAKE_CUDA_ARCHITECTURES={capability}", f"-DLOCKSTEP_TORCH_DIR={torch or 'off'}"]
    if packed:
        words += [f"-DCMAKE_PREFIX_PATH={PACKED}/usr", f"-DLOCKSTEP_PREFIX={PACKED}/prefix",
                  f"-DCMAKE_LIBRARY_ARCHITECTURE={platform.machine()}-linux-gnu",
                  "-DLOCKSTEP_MPI=wheel"]
    if packed and (PACKED / "nccl").exists():
        words.append(f"-DLOCKSTEP_NCCL_DIR={PACKED}/nccl")
    return words


def first_error(log):
    """What CMake, or a compiler, complains of first."""
    match = (re.search(r"CMake Error.*:\n+((?:  .+\n)+)", log)
             or re.search(r"(?mi)^(.*\berror: .*)$", log))
    return " ".join(match[1].split()) if match else last_line(log)


def cmake(budget, folder, *words):
    """Its output, which also goes into a file."""
    nvcc = pathlib.Path(machine.find("nvcc")).parent
    ended = budget.run("cmake", *words, env=os.environ | {"PATH": f"{nvcc}:{os.environ['PATH']}"})
    log = folder / "tests-gpu.log"
    folder.mkdir(parents=True, exist_ok=True)
    log.write_text(ended.stdout + ended.stderr)
    if ended.returncode != 0:
        raise Failed(f"{first_error(ended.stderr + ended.stdout)} (all of it in {log})")
    return ended.stdout


def build(budget, pack, capability, torch):
    """build/gpu/lockstep; what CMake says of its parts."""
    packed = (pack / "libraries.tar.xz").exists()
    if packed:
        unpack(pack, capability)
    folder = ROOT / "build" / PRESET
    generator = "Ninja" if machine.find("ninja") else "Unix Makefiles"
    said = cmake(budget, folder, "-S", ROOT, "-B", folder, "-G", generator,
                 *configuration(packed, capability, torch))
    cmake(budget, folder, "--build", folder, "--target", "lockstep", "--parallel")
    return "; ".join(re.findall("(?m)^-- ((?:MPI|LibTorch|CUDA|NCCL):.*)$", said))
