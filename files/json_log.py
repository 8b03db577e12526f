"""A file of JSON objects, one a line, that processes add to and complete.

An object has an `id`. A line is added by one write; an object is completed by
writing the whole file anew and renaming it, so that a kill at any moment leaves
every line of before. A lock on the file orders these two. What is no object (a
line that a full disk has cut) stays where it is.

Object stores have neither locks nor appending: there the file is read, and
written as a whole, each time.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from bert.files import atomic_files, file_bytes

if sys.platform != "win32":
    import fcntl

# How long to wait for who has the lock; it takes milliseconds.
_PATIENCE_SECONDS = 2.0


class Log(NamedTuple):
    """What a file holds.

    Attributes:
        entries: the objects, in the file's order.
        broken: the numbers, from 1, of the lines that are none.
    """

    entries: list[dict[str, Any]]
    broken: list[int]


def read(path: str) -> Log:
    """Reads a file; broken lines are no error.

    Raises:
        OSError: it cannot be read.
    """
    found = Log([], [])
    with file_bytes.os_errors(path):
        lines = file_bytes.read(path).split(b"\n")
    for number, line in enumerate(lines, start=1):
        entry = _parsed(line)
        if entry is not None:
            found.entries.append(entry)
        elif line.strip():
            found.broken.append(number)
    return found


def append(path: str, entry: Mapping[str, Any]) -> None:
    """Adds an object; the file is made where there is none.

    Raises:
        OSError: it cannot be written.
    """
    line = _line(entry)
    if file_bytes.is_remote(path):
        _change(path, lambda text: text + b"\n" * _is_cut(text) + line)
        return
    with _locked(path) as file, atomic_files.naming(path):
        if os.fstat(file).st_size:
            os.lseek(file, -1, os.SEEK_END)
            line = b"\n" * _is_cut(os.read(file, 1)) + line
        os.write(file, line)


def complete(path: str, entry: Mapping[str, Any]) -> None:
    """Replaces the object of the same `id`; adds it where there is none.

    Raises:
        OSError: the file cannot be read or written.
    """

    def changed(text: bytes) -> bytes:
        lines = [line + b"\n" for line in text.split(b"\n") if line.strip()]
        for number, line in enumerate(lines):
            if (_parsed(line) or {}).get("id") == entry["id"]:
                lines[number] = _line(entry)
                return b"".join(lines)
        return b"".join([*lines, _line(entry)])

    if file_bytes.is_remote(path):
        _change(path, changed)
        return
    with _locked(path):
        _change(path, changed)


def _change(path: str, change: Callable[[bytes], bytes]) -> None:
    with file_bytes.os_errors(path), contextlib.ExitStack() as held:
        old = file_bytes.read(path) if file_bytes.exists(path) else b""
        with atomic_files.replacing(path) as temporary:
            with file_bytes.writer(temporary) as out:
                out.write(change(old))
            if not file_bytes.is_remote(path):
                # Whoever opens the new file waits until all is done here.
                held.enter_context(_locked(temporary))


def _line(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, ensure_ascii=False, default=str)
    # Half a surrogate pair, of a path that is no UTF-8, as JSON escapes it.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _is_cut(text: bytes) -> bool:
    return bool(text) and not text.endswith(b"\n")


@contextlib.contextmanager
def _locked(path: str) -> Iterator[int]:
    """Opens a local file to add to, and keeps others from it meanwhile."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            _lock(file, end)
            if _is_at(file, path):
                yield file
                return
        finally:
            os.close(file)


def _is_at(file: int, path: str) -> bool:
    """Whether no other process has put a new file in its place."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _lock(file: int, end: float) -> None:
    """Waits for the lock; raises OSError where somebody keeps it."""
    while sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        except OSError:  # a file system without locks
            return
