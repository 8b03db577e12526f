"""The machine: what it is, and who used it while a contestant worked."""

import os
import platform
from typing import Any

_TICK = os.sysconf("SC_CLK_TCK")


def describe() -> dict[str, Any]:
    """Returns processor, cores, memory and load."""
    with open("/proc/cpuinfo") as file:
        pairs = [line.split(":", 1) for line in file if ":" in line]
    fields = {name.strip(): value.strip() for name, value in pairs}
    flags = fields.get("flags", "").split()
    return {
        "processor": fields.get("model name", platform.processor()),
        "cores": len(os.sched_getaffinity(0)),
        "simd": [
            flag
            for flag in flags
            if flag.startswith(("avx2", "avx512", "amx", "avx_vnni"))
        ],
        "memory_gib": os.sysconf("SC_PHYS_PAGES")
        * os.sysconf("SC_PAGE_SIZE")
        / 2**30,
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def available_gib() -> float:
    """Returns how much memory a new process could get."""
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 2**20
    raise OSError("/proc/meminfo has no MemAvailable")


def snapshot(sleeping: list[int], working: int) -> dict[str, float]:
    """Returns the CPU seconds of all, of those that sleep, of the worker."""
    with open("/proc/stat") as file:
        times = [int(number) for number in file.readline().split()[1:]]
    idle = times[3] + times[4]
    # guest times are in user times already
    return {
        "busy": (sum(times[:8]) - idle) / _TICK,
        "sleeping": sum(map(_cpu_seconds, sleeping)),
        "working": _cpu_seconds(working),
    }


def shares(
    before: dict[str, float],
    after: dict[str, float],
    seconds: float,
    more: float = 0.0,
) -> dict[str, float]:
    """Returns how many cores others had meanwhile.

    Args:
        before: the snapshot before.
        after: the snapshot after.
        seconds: between them.
        more: CPU seconds of a worker that has ended since.

    Returns:
        `sleeping_cores`: those of contestants that wait, which should be 0;
        `other_cores`: those of strangers.
    """
    used = {name: after[name] - before[name] for name in before}
    others = used["busy"] - used["sleeping"] - used["working"] - more
    return {
        "sleeping_cores": round(used["sleeping"] / seconds, 3),
        "other_cores": round(max(others, 0.0) / seconds, 3),
    }


def _cpu_seconds(pid: int) -> float:
    """Returns those of a process and of its children that run."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(child) for child in file.read().split()]
    except OSError:
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / _TICK
    return own + sum(map(_cpu_seconds, children))
