"""Kinds whose readers have faults, which `fuzz` must find."""

import ctypes
import sys
import time
from pathlib import Path

from absl import logging

from bert.errors import UserError
from tests.fuzz_child import Kind


def _trace(folder: Path) -> None:
    raise KeyError("a bug")


def _crash(folder: Path) -> None:
    ctypes.string_at(0)


def _hang(folder: Path) -> None:
    time.sleep(1000)


def _memory(folder: Path) -> None:
    bytearray(2**40)


def _write(folder: Path) -> None:
    (folder / "new").write_text("")
    raise UserError("This is refused, but something is written before.")


def _warn(folder: Path) -> None:
    logging.warning("a \x1b[2J terminal is cleared")


def _print(folder: Path) -> None:
    print(
        "error: two lines of it, each of them long enough\nand", file=sys.stderr
    )
    raise SystemExit(1)


def _refuse(folder: Path) -> None:
    raise UserError("A file that is refused as it should be.")


def _take(folder: Path) -> None:
    (folder / "out").write_text("what was made of it")


def _make(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").write_text("content")


KINDS = {
    function.__name__.removeprefix("_"): Kind(_make, ("file",), function)
    for function in (
        *(_trace, _crash, _hang, _memory, _write, _warn, _print),
        *(_refuse, _take),
    )
}
