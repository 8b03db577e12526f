"""Standard error that cannot fail: no log line ends a run.

The terminal may go away, `2>&-` closes it before the start, a disk may be full.
"""

import io
import os
import sys

from absl import logging


class _Unfailing(io.FileIO):
    """A file whose writes are lost where they fail."""

    def write(self, data, /) -> int:
        try:
            # Nothing is written where a pipe is full and may not be awaited.
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def protect() -> None:
    """Makes what is written to standard error appear, or be lost.

    Call it before a file is opened: one that got the number of a closed
    standard stream would also get what TensorFlow writes to that.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # which takes the lowest number
    if sys.stderr is sys.__stderr__:  # None, too
        sys.stderr = unfailing(2)
        logging.get_absl_handler().python_handler.stream = sys.stderr


def unfailing(descriptor: int) -> io.TextIOWrapper:
    """Returns an open file, for text, whose writes never fail."""
    file = _Unfailing(descriptor, "wb", closefd=False)
    encoding = getattr(sys.__stderr__, "encoding", "utf-8")
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=True,
    )
