"""The process of `fuzz` in which damaged files are read."""

import contextlib
import dataclasses
import faulthandler
import io
import json
import logging
import os
import random
import re
import resource
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from absl import logging as absl_logging

from bert.cli import error_guard
from tests import mutations

MAIN_EVERY = 16
_BYTES = 6 * 2**30
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
# The bytes of a file → what is in its frame, and what puts it back there.
Close = Callable[[bytes], bytes]
Open = Callable[[bytes], tuple[bytes, Close]]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        make: fills an empty folder with sound files.
        files: those that are damaged, one at a time.
        read: reads what lies in the folder.
        command: the name of a script, and its arguments, of which `{}` is the
            folder; it reads the same.
        openers: of a format with lengths or checksums around what it holds.
    """

    make: Callable[[Path], object]
    files: tuple[str, ...]
    read: Callable[[Path], object]
    command: tuple[str, ...] = ()
    openers: tuple[Open, ...] = ()


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

    def __init__(self, kinds: Mapping[str, Kind], work: Path):
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


def _read_by(kind: Kind, case: Case) -> list[str]:
    """Returns which of a kind's files a case reads."""
    named = [
        name
        for name in kind.files
        if any(name in part for part in kind.command)
    ]
    return named if named and case.runs_main else list(kind.files)


def _damaged(
    whole: bytes, openers: Sequence[Open], rng: random.Random
) -> bytes:
    if not openers or rng.random() < 0.3:
        return mutations.mutate(whole, rng)
    content, close = rng.choice(openers)(whole)
    return close(mutations.mutate(content, rng))


def _outcome(read) -> tuple[int, str, str]:
    """Returns the exit code, what was said, and the trace of a bug."""
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


if __name__ == "__main__":
    serve(*sys.argv[1:])
