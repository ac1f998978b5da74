"""What this machine offers: its GPU, its tools, and what was brought along."""
import ctypes
import pathlib
import platform
import re
import shutil
import subprocess
import sys

CUDA_FOLDERS = ("/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer")
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76  # of CUDA's CUdevice_attribute


def find(tool):
    """Its path, or None."""
    return shutil.which(tool) or shutil.which(tool, path=":".join(CUDA_FOLDERS))


def gpu(library="libcuda.so.1"):
    """{"name", "capability"} of the first GPU that the driver shows, or None."""
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return None
    count, device = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or not count.value:
        return None
    driver.cuDeviceGet(ctypes.byref(device), 0)
    name = ctypes.create_string_buffer(256)
    driver.cuDeviceGetName(name, len(name), device)
    major, minor = (attribute(driver, device, each) for each in (CAPABILITY_MAJOR, CAPABILITY_MINOR))
    return {"name": name.value.decode(), "capability": 10 * major + minor}


def attribute(driver, device, number):
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value


def missing(root, pack):
    """What a build can't do without, with the way to it; empty if all is there."""
    lines = [f"no {tool}: {remedy}" for tool, remedy in (
        ("nvcc", "install the CUDA toolkit, or put its bin folder into PATH"),
        ("cmake", "install CMake 3.25 or newer"), ("g++", "install g++ 12 or newer"))
        if not find(tool)]
    if not find("ninja") and not find("make"):
        lines.append("no ninja: install it")
    if not (pack / "libraries.tar.xz").exists() and not (root / "build/prefix/base.wheels").exists():
        lines.append(f"no {pack}: run tests/gpu/pack where there is a network, and bring that folder "
                     "(or run launch/setup here)")
    if not (pack / "mnist.tar.xz").exists() and not (root / "data/mnist").exists():
        lines.append(f"no MNIST in {pack} or data/mnist: run launch/fetch-mnist")
    return lines


def torch_folder(python):
    """That of the package torch, without loading it, or None."""
    ended = subprocess.run([python, "-c", "import importlib.util as u; "
                                          "print(u.find_spec('torch').origin)"],
                           text=True, capture_output=True)
    origin = pathlib.Path(ended.stdout.strip())
    return origin.parent if ended.returncode == 0 and origin.name == "__init__.py" else None


def first_line(*words, pattern=".+"):
    """The first match in what a command prints, or None."""
    try:
        ended = subprocess.run(words, text=True, capture_output=True)
    except OSError:
        return None
    match = re.search(pattern, ended.stdout)
    return match[0].strip() if match else None


def describe():
    """For the report."""
    return {
        "gpu": gpu(),
        "driver": first_line("nvidia-smi", pattern=r"Driver Version: [\d.]+"),
        "nvcc": first_line(find("nvcc") or "nvcc", "--version", pattern=r"V[\d.]+"),
        "compiler": first_line("g++", "--version"),
        "cmake": first_line("cmake", "--version"),
        "processor": first_line("lscpu", pattern=r"(?<=Model name:).+"),
        "system": platform.platform(),
        "python": sys.version.split()[0],
    }
