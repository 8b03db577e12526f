"""Lets contestants do a piece of work in turns, and notes what it took."""

import os
import random
import shutil
import sys
import time
from typing import Any

from benchmarks.peers import commands, contestants, machine, report, sizes
from benchmarks.peers.contestants import Contestant, Process, RefusedError
from benchmarks.peers.report import PEAK

# These time the machine's peak between the others' steps.
_PEAK_BY = ("products", "hf_torch")
_STEPS = ("forward", "train_step")
# Steps after which memory does not grow any more.
_MEMORY_STEPS = 3


class Running:
    """The processes of a kind of work, started when they are needed."""

    def __init__(self, present: list[Contestant], args):
        self._present = present
        self._args = args
        self._processes: dict[str, Process] = {}

    def prepared(self, cell, found) -> dict[str, tuple[Process, str, int]]:
        """Prepares a piece of work; returns who does it, and how often.

        Returns:
            By name: the process, its job, and how many times are a round's.
        """
        ready = {}
        for contestant in self._present:
            if cell["work"] not in contestant.works:
                continue
            name = contestant.name
            try:
                _check_memory(cell)
                self._make_model(contestant, cell)
                process = self._process(contestant, cell["work"])
                found.add_versions(name, process.hello["versions"])
                seconds = _warm_up(process, cell)
                times = round(self._args.seconds / seconds)
                ready[name] = (process, "work", max(1, min(times, 1000)))
                if name in _PEAK_BY and cell["work"] in _STEPS:
                    process.prepare("peak", {**cell, "work": "peak"})
                    process.run("peak", 1)
                    ready[PEAK + name] = (process, "peak", 3)
            except RefusedError as reason:
                found.refuse(cell, name, str(reason))
                print(f"  {name}: {reason}", file=sys.stderr)
                # It may hold much memory.
                if name in self._processes:
                    self._processes.pop(name).quit()
                continue
            print(f"  {name}: {seconds:.3f} s warm", file=sys.stderr)
        return ready

    def _process(self, contestant: Contestant, work: str) -> Process:
        name = contestant.name
        if name not in self._processes:
            self._processes[name] = Process(contestant, work, self._args)
        return self._processes[name]

    def _make_model(self, contestant: Contestant, cell) -> None:
        kinds = ["run"] if cell["work"] in ("latency", "serving") else []
        if contestant.environment == "runtimes":
            kinds = ["run", "compressed"]
        elif kinds and contestant.name == "hf_pipeline":
            kinds.append("huggingface")
        for kind in kinds:
            commands.make_model(cell, kind, self._args)

    def drop(self) -> None:
        """Lets all forget their jobs."""
        for process in self._processes.values():
            process.drop()

    def quit(self) -> None:
        """Ends the processes."""
        for process in self._processes.values():
            process.quit()


def _check_memory(cell) -> None:
    """Raises RefusedError where another contestant could not fit in."""
    if cell["work"] not in _STEPS:
        return
    needed, free = sizes.memory_gib(cell), machine.available_gib()
    if needed > free:
        raise RefusedError(
            f"about {needed:.1f} GiB needed beside the others, {free:.1f} "
            "free; name fewer --peers, or lower --rows"
        )


def _warm_up(process: Process, cell) -> float:
    process.prepare("work", cell)
    clock = cell.get("clock", "seconds")
    seconds = process.run("work", 1)[clock]  # compiles
    if seconds < 30:
        seconds = process.run("work", 1)[clock]
    return seconds


def measure(cell, running: Running, args, found) -> None:
    """Times a piece of work in rounds, by all who can do it."""
    print(f"\n{report.title(cell)}", file=sys.stderr)
    ready = running.prepared(cell, found)
    measured = []
    for number in range(args.rounds):
        order = list(ready)
        random.Random(number).shuffle(order)
        results = {}
        for name in order:
            try:
                results[name] = one_turn(name, ready)
            except RefusedError as reason:
                found.refuse(cell, name, str(reason))
        measured.append(results)
        print(f"  round {number + 1}: {_line(results)}", file=sys.stderr)
    found.add(cell, measured)
    running.drop()


def one_turn(name: str, ready) -> dict[str, Any]:
    """Lets a contestant do its part of a round; returns what was measured."""
    process, job, times = ready[name]
    pids = {other.pid for other, _, _ in ready.values()} - {process.pid}
    before = machine.snapshot(list(pids), process.pid)
    begun = time.perf_counter()
    result = process.run(job, times)
    after = machine.snapshot(list(pids), process.pid)
    seconds = time.perf_counter() - begun
    return result | machine.shares(before, after, seconds)


def measure_commands(cell, args, found) -> None:
    """Times whole commands in turns."""
    print(f"\n{report.title(cell)}", file=sys.stderr)
    measured: list[dict[str, Any]] = []
    try:
        commands.make_model(cell, "run", args)
    except RefusedError as reason:
        found.refuse(cell, "ours", str(reason))
        return
    chosen = commands.WORKS[cell["work"]](cell)
    for number in range(args.command_rounds):
        results = {}
        for command in chosen:
            # The variants of one that takes part do so, too.
            if command.name.partition(",")[0] not in args.peers.split(","):
                continue
            python = contestants.python_of(command.environment, args)
            if not os.path.exists(python):
                continue
            folder = args.folder / f"{cell['work']}-{command.name}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            before = machine.snapshot([], os.getpid())
            try:
                result = commands.run(command, folder, args)
            except RefusedError as reason:
                found.refuse(cell, command.name, str(reason))
                continue
            after = machine.snapshot([], os.getpid())
            results[command.name] = result | machine.shares(
                before, after, result["seconds"], result["cpu_seconds"]
            )
        measured.append(results)
        print(f"  round {number + 1}: {_line(results)}", file=sys.stderr)
    found.add(cell, measured, {c.name: c.note for c in chosen})


def measure_memory(cell, present: list[Contestant], args, found) -> None:
    """Measures the memory of some steps, each in a process of its own."""
    print(f"\n{report.title(cell)}", file=sys.stderr)
    step = {**cell, "work": "train_step"}
    measured = {}
    for contestant in present:
        name = contestant.name
        if "train_step" not in contestant.works or name == "products":
            continue
        try:
            process = Process(contestant, "train_step", args)
            try:
                process.prepare("work", step)
                result = process.run("work", _MEMORY_STEPS)
            finally:
                process.quit()
        except RefusedError as reason:
            found.refuse(cell, name, str(reason))
            continue
        result["import_kib"] = process.hello["memory_kib"]
        measured[name] = result
        mib = result["memory_kib"] / 1024
        print(f"  {name}: {mib:.0f} MiB", file=sys.stderr)
    found.add(cell, [measured])


def _line(results) -> str:
    return ", ".join(
        f"{name} {result['seconds']:.3g}" for name, result in results.items()
    )
