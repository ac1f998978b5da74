"""The program for a GPU as it is built here, and the shared libraries that it takes along."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/gpu"
# Where it finds them: beside itself once unpacked, else where they are here. As an old RPATH, which
# goes before LD_LIBRARY_PATH: that may lead to PyTorch's older NCCL.
RPATH = ("$ORIGIN/lib", "$ORIGIN/prefix/lib", "$ORIGIN/nccl/lib", "$ORIGIN/../prefix/lib",
         "$ORIGIN/../gpu-nccl/lib")
# What every machine with a C++ compiler has, in a version that is as new.
EVERYWHERE = re.compile(r"(linux-vdso|ld-linux[\w-]*|lib(c|m|dl|rt|util|pthread|stdc\+\+|gcc_s))\.so")
TORCH = "src/model/liblockstep_torch.so"


class Missing(Exception):
    """A library that the program needs is not here."""


def machine_code(architecture):
    """CMake's word for code of this architecture only, with what Hopper and later have beyond it."""
    return f"{architecture}{'a' if architecture >= 90 else ''}-real"


def configuration(architecture, nccl):
    """CMake's words; `nccl`: its folder, or None."""
    return ["-G", "Ninja", "-S", ROOT, "-B", FOLDER, "-DCMAKE_BUILD_TYPE=Release",
            "-DBUILD_TESTING=OFF", "-DLOCKSTEP_CUDA=on", "-DLOCKSTEP_MPI=wheel",
            f"-DCMAKE_CUDA_ARCHITECTURES={machine_code(architecture)}",
            f"-DLOCKSTEP_NCCL_DIR={nccl or 'off'}", "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
            f"-DCMAKE_INSTALL_RPATH={';'.join(RPATH)}",
            "-DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags"]


def libraries(ldd):
    """{name: path} from what ldd prints, without what every machine has and what lies in build/."""
    found = {}
    for name, path in re.findall(r"(?m)^\s*(\S+) => (not found|\S+)", ldd):
        if EVERYWHERE.match(name) or path.startswith(f"{ROOT}/build/"):
            continue
        if path == "not found":
            raise Missing(name)
        found[name] = pathlib.Path(path)
    return found
