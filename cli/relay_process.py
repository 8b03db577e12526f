"""The process that `cli/relay.py` puts before standard error.

python -I -S relay_process.py native|json

It reads what another process writes to its standard error, and passes it on, a
line at a time: without TensorFlow's notes of its start (native), or each line
as a JSON object (json). It ends when nobody can write any more, so what a
process wrote that was killed still appears.
"""

import contextlib
import functools
import math
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping

READY = b"."  # on standard output: it runs, or all before a SYNC is written
SYNC = b"\0sync\n"

# A line of TensorFlow's C++: level, place, text. Python's have .py in them.
_NATIVE = re.compile(
    rb"(?:([IWEF])\d{4} [\d:.]+ +\d+|\d{4}-\d\d-\d\d [\d:.]+: ([IWEF])) "
    rb"\S+\.(?:cc|cu|h):\d+\] (.*)"
)
# Errors by their level that are none: there is no GPU or no driver, or two
# libraries both bring what they share.
_NO_ERROR = re.compile(
    rb".*failed call to cuInit: .*(?:\(303\)|NO_DEVICE|no CUDA-capable device)"
    rb"|computation placer already registered"
    rb"|Unable to register cu\w+ factory"
)
_BESIDE = (
    b"WARNING: All log messages before absl::InitializeLog() is called",
    b"To enable the following instructions: ",  # goes with the line before
)

# How lines that are not of the log say how bad they are.
_LEVELS = {"I": "info", "W": "warning", "E": "error", "F": "error"}
_MARK = re.compile(r"(info|warning|error): ", re.IGNORECASE)


def json_line(
    seconds: float, level: str, message: str, fields: Mapping[str, object] = {}
) -> str:
    """Returns a line of the log as a JSON object.

    Args:
        seconds: when, since 1970.
        level: info, warning or error.
        message: what is said.
        fields: figures; one that JSON has no number for is null.
    """
    import json  # not above: --help needs none

    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    entry = {
        "time": f"{at}.{int(seconds % 1 * 1000):03}Z",
        "level": level,
        "message": message,
        **{name: _plain(value) for name, value in fields.items()},
    }
    return json.dumps(entry)


def _plain(value: object) -> object:
    """Returns a figure as JSON has it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    try:
        number = float(str(value))  # 0.1 of float32 is 0.1
    except ValueError:
        return str(value)
    return number if math.isfinite(number) else None


def without_notes(line: bytes) -> bytes:
    """Returns a line; nothing of one that TensorFlow writes when it starts."""
    found = _NATIVE.match(line)
    if not found:
        return b"" if line.startswith(_BESIDE) else line
    is_note = (found[1] or found[2]) in b"IW" or _NO_ERROR.match(found[3])
    return b"" if is_note else line


def as_json(line: bytes) -> bytes:
    """Returns a line as a JSON object, unless it is one."""
    text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
    if not text.strip() or _is_object(text):
        return line if text.strip() else b""
    level = "error"  # a stack trace, the last words of a crash
    if native := _NATIVE.match(line):
        level = _LEVELS[(native[1] or native[2]).decode()]
    elif mark := _MARK.match(text):
        level, text = mark[1].lower(), text[mark.end() :]
    return json_line(time.time(), level, text).encode() + b"\n"


def _is_object(text: str) -> bool:
    import json

    try:
        return text.startswith("{") and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _write(file: int, data: bytes) -> None:
    """Writes; what cannot be written is lost, as it is without this process."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(file, data) :]


def main(change: Callable[[bytes], bytes]) -> None:
    """Passes lines on until nobody can write any more.

    Args:
        change: makes of a line what is written.
    """

    def pass_on(data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        _write(2, b"".join(map(change, lines)))

    _write(1, READY)
    rest = b""
    for data in iter(functools.partial(os.read, 0, 2**16), b""):
        rest += data
        while SYNC in rest:
            before, _, rest = rest.partition(SYNC)
            pass_on(before)
            _write(1, READY)
        lines, newline, rest = rest.rpartition(b"\n")
        pass_on(lines + newline)
    pass_on(rest)


if __name__ == "__main__":
    # It has to outlive the process whose lines it passes on.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork():  # it is nobody's child: who counts children meets none
        os._exit(0)
    main({"native": without_notes, "json": as_json}[sys.argv[1]])
