"""What this machine offers: its GPU and its tools."""
import ctypes
import pathlib
import platform
import re
import shutil
import subprocess
import sys

CUDA_FOLDERS = ("/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer",
                *map(str, pathlib.Path("/opt/nvidia").glob("nsight-compute/*")))
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
