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
import contextlib
import faulthandler
import io
import json
import logging
import os
import random
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from tests import mutations

if TYPE_CHECKING:
    from tests.fuzz_kinds import Kind

ROOT = Path(__file__).parents[1]
KINDS = "tests.fuzz_kinds"
MAIN_EVERY = 16
_BYTES = 6 * 2**30
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
# TensorFlow keeps something of every graph that a `main` makes.
_MAINS_OF_A_CHILD = 150


class Case(NamedTuple):
    """A damaged file.

    Attributes:
        kind: the key in `fuzz_kinds.KINDS`.
        number: decides the damage; below 0 there is none.
    """

    kind: str
    number: int

    @property
    def runs_main(self) -> bool:
        """Whether a script's `main` reads the file, if the kind has one."""
        return self.number % MAIN_EVERY == MAIN_EVERY - 1


class Result(NamedTuple):
    """What became of a case.

    Attributes:
        is_refused: whether an error was said.
        fault: what must not be, "" where all is well.
    """

    is_refused: bool
    fault: str


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
                [sys.executable, "-m", "tests.fuzz", self._kinds, str(work)],
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


def serve(kinds: str, work: str) -> None:
    """Runs the cases of standard input; says of each what became of it."""
    faulthandler.enable()
    # What else writes to standard output must not be taken for a result.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    bench = Bench(import_module(kinds).KINDS, Path(work))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + _BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    out.write(b"ready\n")
    for line in sys.stdin:
        result = bench.run(Case(*json.loads(line)))
        out.write(json.dumps(result).encode() + b"\n")


class Bench:
    """Runs cases in this process.

    Args:
        kinds: by name.
        work: a folder to work in.
    """

    def __init__(self, kinds: Mapping[str, "Kind"], work: Path):
        self._work = work
        self._kinds = kinds
        self._warnings = _Warnings()

    def run(self, case: Case) -> Result:
        """Runs a case."""
        kind = self._kinds[case.kind]
        sound = self._work / f"{case.kind}-sound"
        folder = self._work / case.kind
        if not sound.exists():
            kind.make(sound)
        if not folder.exists():
            shutil.copytree(sound, folder)
        rng = random.Random(f"{case.kind} {case.number}")
        path = folder / rng.choice(_read_by(kind, case))
        whole = path.read_bytes()
        if case.number >= 0:
            path.write_bytes(_damaged(whole, kind.openers, rng))
        before = _listed(folder)
        self._warnings.lines.clear()
        code, said, fault = _outcome(lambda: self._read(case, folder))
        after = _listed(folder)
        path.write_bytes(whole)
        if after != before:
            shutil.rmtree(folder)
        if not fault and code:
            fault = _fault_of_error(said)
            changed = sorted({*before.items()} ^ {*after.items()})
            if changed:
                fault = fault or f"written though refused: {changed} {said}"
        return Result(bool(code), fault or self._warnings.fault())

    def _read(self, case: Case, folder: Path) -> None:
        kind = self._kinds[case.kind]
        if not (case.runs_main and kind.command):
            kind.read(folder)
            return
        from tests.scripts.runner import flags_of

        name, *args = (part.replace("{}", str(folder)) for part in kind.command)
        script = import_module(f"bert.{name}")
        script.FLAGS = flags_of(script, *args)
        script.main()


def _read_by(kind: "Kind", case: Case) -> list[str]:
    """Returns which of a kind's files a case reads."""
    named = [
        name
        for name in kind.files
        if any(name in part for part in kind.command)
    ]
    return named if named and case.runs_main else list(kind.files)


def _damaged(whole: bytes, openers: Sequence, rng: random.Random) -> bytes:
    if not openers or rng.random() < 0.3:
        return mutations.mutate(whole, rng)
    content, close = rng.choice(openers)(whole)
    return close(mutations.mutate(content, rng))


def _outcome(read) -> tuple[int, str, str]:
    """Returns the exit code, what was said, and the trace of a bug."""
    from bert.cli import error_guard

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return error_guard.exit_code(read), said.getvalue(), ""
    except SystemExit as error:
        return 1, str(error), f"ends the process: {error.code}"
    except BaseException as error:
        return (
            1,
            "",
            f"{type(error).__name__}\n{traceback.format_exc()[-3000:]}",
        )


def _fault_of_error(said: str) -> str:
    """Returns what is wrong with what was said of a damaged file."""
    lines = said.splitlines()
    line = lines[-1] if lines else ""
    if not line.startswith("error: ") or len(line) < 30:
        return f"no error in one line: {said[-500:]!r}"
    if len(line) > 300:
        return f"an error of {len(line)} characters: {line[:1000]}"
    return _unprintable(line)


def _unprintable(line: str) -> str:
    odd = [char for char in line if not char.isprintable()]
    return f"a message with {odd[0]!r} in it: {line[:500]!a}" if odd else ""


class _Warnings(logging.Handler):
    """Keeps the lines that are logged as warnings, in place of showing them."""

    def __init__(self):
        from absl import logging as absl_logging

        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        logger = absl_logging.get_absl_logger()
        logger.handlers = [self]
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def fault(self) -> str:
        """Returns what is wrong with one of them; "" where all is well."""
        # Other texts are shown as they are, as the original does.
        odd = (line for line in self.lines if _CONTROL.search(line))
        return next(map(_unprintable, odd), "")


def _listed(folder: Path) -> dict[str, tuple[int, int]]:
    """Returns size and time of all that is in a folder."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        # A folder's time changes with temporary files in it.
        stamp = 0 if path.is_dir() else status.st_mtime_ns
        found[str(path)] = (status.st_size if stamp else 0, stamp)
    return found


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
    arguments.add_argument("child", nargs="*", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        serve(*given.child)
        return 0
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
