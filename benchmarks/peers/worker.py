"""A contestant's process: does what the coordinator says, over pipes.

A line of JSON each way. The coordinator says

    {"do": "prepare", "job": "a", "cell": {...}}  make what some work needs
    {"do": "run", "job": "a", "times": 5}         do it so often, in a row
    {"do": "drop"}                                forget all jobs
    {"do": "quit"}

and gets {"error": "..."} or what is asked for. Between two lines the process
sleeps. Imports nothing but Python's own library, so that it runs in every
contestant's environment.
"""

import gc
import importlib.metadata
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

# Does a piece of work so often, and returns when it is done. What it returns,
# if anything, goes to the coordinator; `seconds` and `cpu_seconds` of one time
# stand for the worker's own where not all that it does is to count.
Job = Callable[[int], dict[str, Any] | None]
# Makes a job of a cell: see `sizes.Cell`.
MakeJob = Callable[[dict[str, Any]], Job]


def serve(works: Mapping[str, MakeJob], packages: tuple[str, ...]) -> None:
    """Serves the coordinator until it says quit or closes the pipe.

    Args:
        works: what this contestant can do, by name.
        packages: whose versions it reports.
    """
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    say(
        {
            "works": list(works),
            "versions": {p: importlib.metadata.version(p) for p in packages},
            "memory_kib": memory_kib(),
        }
    )
    jobs: dict[str, Job] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "quit":
            return
        try:
            if order["do"] == "drop":
                jobs.clear()
                gc.collect()
                say({})
            elif order["do"] == "prepare":
                cell = order["cell"]
                jobs[order["job"]] = works[cell["work"]](cell)
                say({})
            else:
                say(_timed(jobs[order["job"]], order["times"]))
        except Exception as error:  # the others go on without this one
            traceback.print_exc()
            text = str(error).strip().partition("\n")[0]
            say({"error": f"{type(error).__name__}: {text}"})


def _timed(job: Job, times: int) -> dict[str, Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    figures = job(times) or {}
    return {
        "seconds": (time.perf_counter() - wall) / times,
        "cpu_seconds": (time.process_time() - cpu) / times,
        "memory_kib": memory_kib(),
        **figures,
    }


def memory_kib() -> int:
    """Returns the largest resident memory of this process so far, VmHWM."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    raise OSError("/proc/self/status has no VmHWM")
