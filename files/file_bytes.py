"""Files, local or remote, as bytes; imports TensorFlow for the latter alone.

Seconds and 0.6 GB that local files do not need.
"""

import contextlib
import glob
import io
import os
from collections.abc import Iterator
from typing import IO, BinaryIO

from bert.errors import UserError


def is_remote(path: str) -> bool:
    """Whether a path has a scheme, such as gs://."""
    return "://" in path


def read(path: str) -> bytes:
    """Returns a whole file.

    Raises:
        OSError: it cannot be read, wherever it is.
    """
    with _os_errors(path), reader(path) as file:
        return file.read()


def reader(path: str) -> BinaryIO:
    """Opens a file to be read, at any place."""
    if not is_remote(path):
        return open(path, "rb")
    return io.BufferedReader(_RemoteFile(path), 2**20)


def writer(path: str) -> IO[bytes]:
    """Opens a file to be written."""
    if not is_remote(path):
        return open(path, "wb")
    return _gfile().GFile(path, "wb")


def size_and_time(path: str) -> tuple[int, int]:
    """Returns a file's bytes, and when it was changed, in nanoseconds."""
    stat = _gfile().stat(path) if is_remote(path) else os.stat(path)
    if is_remote(path):
        return stat.length, stat.mtime_nsec
    return stat.st_size, stat.st_mtime_ns


def exists(path: str) -> bool:
    """Whether there is a file or a folder."""
    if is_remote(path):
        return _gfile().exists(path)
    return os.path.exists(path)


def remove(path: str) -> None:
    """Removes a file."""
    if is_remote(path):
        _gfile().remove(path)
    else:
        os.remove(path)


def matching(pattern: str) -> list[str]:
    """Returns the paths that a glob pattern matches, sorted."""
    if is_remote(pattern):
        return sorted(_gfile().glob(pattern))
    return sorted(glob.glob(pattern, include_hidden=True))


def matching_files(patterns: str, flag: str) -> list[str]:
    """Returns the files that comma-separated glob patterns match.

    Each pattern's files come sorted by name (the original takes the order of
    the file system); patterns keep their order.

    Args:
        patterns: such as "part-*.tfrecord,extra.tfrecord".
        flag: where they come from; for messages.

    Raises:
        UserError: a pattern matches no file, or matches a folder.
    """
    files: list[str] = []
    for pattern in patterns.split(","):
        found = matching(pattern) if pattern else []
        if not found:
            raise UserError(
                f"No file matches --{flag}. Expected paths or glob patterns, "
                f"separated by commas. Received: {pattern!r}."
            )
        folders = [name for name in found if is_folder(name)]
        if folders:
            raise UserError(
                f"--{flag} names a folder where files are expected: "
                f"{folders[0]}; write {folders[0].rstrip('/')}/*."
            )
        files += found
    return files


def is_folder(path: str) -> bool:
    """Whether there is a folder."""
    return _gfile().isdir(path) if is_remote(path) else os.path.isdir(path)


class _RemoteFile(io.RawIOBase):
    """What tf.io.gfile reads, as Python's own files are."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = _gfile().GFile(path, "rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._file.seek(offset=offset, whence=whence)
        return self._file.tell()

    def readinto(self, buffer) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _gfile():
    import tensorflow as tf

    return tf.io.gfile


@contextlib.contextmanager
def _os_errors(path: str) -> Iterator[None]:
    """Makes what tf.io.gfile raises an OSError."""
    if not is_remote(path):
        yield
        return
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, NotImplementedError) as error:
        raise OSError(str(error)) from error
