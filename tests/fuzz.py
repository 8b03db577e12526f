"""Damages sound files of every kind that is read, and reads them.

    python -m tests.fuzz --cases=20000
    python -m tests.fuzz --kind=vocabulary --case=123      one case again

Whatever is in a file: no stack trace and no crash, an error is one line of at
most 300 characters that can be printed, and nothing is written then. A case is
a function of its kind and number. It runs in a child process, which is bounded
in time and memory; most cases call the reader, one in `MAIN_EVERY` a script's
`main`.
"""

import argparse
import collections
import json
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Self

from tests.fuzz_child import Case, Result

ROOT = Path(__file__).parents[1]
KINDS = "tests.fuzz_kinds"
# TensorFlow keeps something of every graph that a `main` makes.
_MAINS_OF_A_CHILD = 150


class Child:
    """A process that runs cases, started again when it has ended.

    Args:
        folder: is filled.
        kinds: the module with `KINDS`.
        seconds: how long a case may take.
    """

    def __init__(self, folder: Path, kinds: str = KINDS, seconds: int = 120):
        self._folder = folder
        self._kinds = kinds
        self._seconds = seconds
        self._log = folder / "stderr.txt"
        self._process: subprocess.Popen | None = None
        self._mains = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._stop()

    def run(self, case: Case) -> Result:
        """Runs a case."""
        self._mains += case.runs_main
        if self._mains > _MAINS_OF_A_CHILD:
            self._stop()
            self._mains = 0
        process = self._process or self._start()
        process.stdin.write(json.dumps(case).encode() + b"\n")
        if not select.select([process.stdout], [], [], self._seconds)[0]:
            self._stop()
            return Result(False, f"hangs: more than {self._seconds} s")
        line = process.stdout.readline()
        if line:
            return Result(*json.loads(line))
        code = process.wait()
        self._stop()
        said = self._log.read_text(errors="replace")
        return Result(False, f"crash: exit code {code}\n{said[-3000:]}")

    def _start(self) -> subprocess.Popen:
        work = self._folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.fuzz_child",
                    self._kinds,
                    str(work),
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
            )
        # It says so when TensorFlow is there.
        assert self._process.stdout.readline(), self._log.read_text()
        return self._process

    def _stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


def run(cases: Iterable[Case]) -> Iterator[tuple[Case, Result]]:
    """Runs cases in a child process."""
    with (
        tempfile.TemporaryDirectory(prefix="bert-fuzz-") as folder,
        Child(Path(folder)) as child,
    ):
        for case in cases:
            yield case, child.run(case)


def cases_of(kinds: Iterable[str], number: int, first: int = 0) -> list[Case]:
    """Returns the first cases of each kind."""
    return [Case(k, first + n) for k in kinds for n in range(number)]


def main() -> int:
    """Runs what the command line asks for; returns the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cases", type=int, default=20000, help="in all")
    arguments.add_argument("--kind", help="kinds, separated by commas")
    arguments.add_argument("--case", type=int, help="one case alone")
    arguments.add_argument("--first", type=int, default=0, help="from here on")
    given = arguments.parse_args()
    known = import_module(KINDS).KINDS
    kinds = given.kind.split(",") if given.kind else list(known)
    if given.case is not None:
        cases = [Case(kind, given.case) for kind in kinds]
    else:
        each = -(-given.cases // len(kinds))
        cases = cases_of(kinds, each, given.first)
    mains = sum(c.runs_main and bool(known[c.kind].command) for c in cases)
    return _report(cases, mains)


def _report(cases: list[Case], mains: int) -> int:
    """Runs cases and prints what became of them."""
    total: collections.Counter[str] = collections.Counter()
    refused: collections.Counter[str] = collections.Counter()
    faults: collections.Counter[str] = collections.Counter()
    seconds: collections.Counter[str] = collections.Counter()
    start = before = time.monotonic()
    for case, result in run(cases):
        now = time.monotonic()
        total[case.kind] += 1
        refused[case.kind] += result.is_refused
        seconds[case.kind] += now - before
        before = now
        if result.fault:
            faults[case.kind] += 1
            again = f"--kind={case.kind} --case={case.number}"
            print(f"{again}: {result.fault}\n", flush=True)
    print(f"{'kind':20}{'cases':>7}{'refused':>9}{'faults':>8}{'seconds':>9}")
    for kind, number in total.items():
        print(
            f"{kind:20}{number:7}{refused[kind]:9}{faults[kind]:8}"
            f"{seconds[kind]:9.0f}"
        )
    print(
        f"{len(cases)} cases, {mains} of them through a script's main, "
        f"{faults.total()} faults, {time.monotonic() - start:.0f} s"
    )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
