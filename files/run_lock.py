"""A lock that keeps a second run from writing the same files."""

import contextlib
import os
import sys
from collections.abc import Iterator

from bert.errors import UserError
from bert.files import file_bytes

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def alone(path: str, output: str) -> Iterator[None]:
    """Holds the lock; the system frees it when this process ends.

    Nothing is locked on Windows, for remote files, and where a file system has
    no locks.

    Args:
        path: a file for the lock, removed at the end.
        output: the flag that says what is written, with its value.

    Raises:
        UserError: another run has the lock.
    """
    if sys.platform == "win32" or file_bytes.is_remote(path):
        yield
        return
    with _locked(path, output):
        try:
            yield
        finally:
            # While the lock is held: later the file may be of another run.
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)


def _locked(path: str, output: str) -> contextlib.AbstractContextManager:
    """Returns the open file at `path`, which this process has locked."""
    while True:
        file = open(path, "ab")  # noqa: SIM115 (the caller closes it)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise UserError(
                f"Another run is writing {output} (it has locked {path}); "
                "wait for its end, or name another."
            ) from None
        except OSError:  # a file system without locks
            return file
        # The run that held it before may have removed it in between.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()
