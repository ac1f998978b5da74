"""What the programs that measure share."""
import os
import pathlib
import platform
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no word why"


def output_of(*command):
    ended = subprocess.run([str(w) for w in command], text=True, capture_output=True, cwd=ROOT)
    return ended.stdout.strip()


def machine():
    """What the figures are of."""
    lscpu = dict(re.findall(r"(?m)^(.+?): +(.+)$", output_of("env", "LC_ALL=C", "lscpu")))
    wanted = re.compile(r"avx|fma|asimd|sve|vnni")
    name, family = lscpu.get("Model name", platform.machine()), lscpu.get("CPU family")
    return {
        "processor": f"{name}, family {family} model {lscpu['Model']}" if family else name,
        "cores": len(os.sched_getaffinity(0)),
        "isa": " ".join(f for f in lscpu.get("Flags", "").split() if wanted.search(f)),
        "hypervisor": lscpu.get("Hypervisor vendor"),
        "system": f"Linux {platform.release()}",
    }
