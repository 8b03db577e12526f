"""Files, local or remote, as bytes.

TensorFlow, which takes seconds and 0.6 GB, is imported for remote files alone.
"""

import contextlib
import errno
import glob
import io
import os
import stat
from collections.abc import Iterator
from typing import IO, BinaryIO

# What was read of pipes, so far as it is short.
_read_pipes: dict[tuple[int, ...], bytes] = {}
_LONGEST_KEPT = 2**26


def is_remote(path: str) -> bool:
    """Whether a path has a scheme, such as gs://."""
    return "://" in path


def read(path: str) -> bytes:
    """Returns a whole file.

    A pipe can be read once. What it held is kept for the next call: a
    vocabulary is read, then copied.

    Raises:
        OSError: it cannot be read; of a remote file too.
    """
    if (pipe := _pipe(path)) in _read_pipes:
        return _read_pipes[pipe]
    with reading(path) as file:
        data = file.read()
    if (pipe := _pipe(path)) and len(data) <= _LONGEST_KEPT:
        _read_pipes[pipe] = data
    return data


def _pipe(path: str) -> tuple[int, ...]:
    """Returns which pipe a path is, and when it was written to; () if none."""
    if is_remote(path):
        return ()
    status = os.stat(path)
    if not stat.S_ISFIFO(status.st_mode):
        return ()
    return status.st_dev, status.st_ino, status.st_mtime_ns


@contextlib.contextmanager
def reading(path: str) -> Iterator[BinaryIO]:
    """Opens a file to be read; all errors are OSErrors, of remote files too."""
    with os_errors(path), reader(path) as file:
        yield file


def reader(path: str) -> io.BufferedReader:
    """Opens a local or remote file to be read.

    Raises:
        OSError: it cannot be opened, or is a device, which may never end.
    """
    if is_remote(path):
        return io.BufferedReader(_RemoteFile(path), 2**20)
    file = open(path, "rb")  # noqa: SIM115 (the caller closes it)
    if _is_endless(file):
        file.close()
        raise OSError(errno.EINVAL, "neither a file nor a pipe", path)
    return file


def _is_endless(file: BinaryIO) -> bool:
    """Whether it is a device, but for a terminal and /dev/null."""
    status = os.fstat(file.fileno())
    if not (stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)):
        return False
    is_null = os.path.samestat(status, os.stat(os.devnull))
    return not (is_null or file.isatty())


def writer(path: str) -> IO[bytes]:
    """Opens a file to be written."""
    if not is_remote(path):
        return open(path, "wb")
    return gfile().GFile(path, "wb")


def size_and_time(path: str) -> tuple[int, int]:
    """Returns a file's bytes, and when it was changed, in nanoseconds."""
    if is_remote(path):
        remote = gfile().stat(path)
        return remote.length, remote.mtime_nsec
    local = os.stat(path)
    return local.st_size, local.st_mtime_ns


def exists(path: str) -> bool:
    """Whether there is a file or a folder."""
    if is_remote(path):
        return gfile().exists(path)
    return os.path.exists(path)


def remove(path: str) -> None:
    """Removes a file."""
    if is_remote(path):
        gfile().remove(path)
    else:
        os.remove(path)


def rename(path: str, new_path: str) -> None:
    """Renames a file, replacing one that has the new name."""
    if is_remote(path):
        gfile().rename(path, new_path, overwrite=True)
    else:
        os.replace(path, new_path)


def matching(pattern: str) -> list[str]:
    """Returns the paths that a glob pattern matches, sorted."""
    if is_remote(pattern):
        return sorted(gfile().glob(pattern))
    return sorted(glob.glob(pattern, include_hidden=True))


def is_folder(path: str) -> bool:
    """Whether there is a folder."""
    return gfile().isdir(path) if is_remote(path) else os.path.isdir(path)


def names_in(folder: str) -> list[str]:
    """Returns the names of a folder's files and folders.

    Those of remote folders may end in a slash.
    """
    if is_remote(folder):
        return gfile().listdir(folder)
    return os.listdir(folder)


class _RemoteFile(io.RawIOBase):
    """A file of tf.io.gfile with the interface of Python's files."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = gfile().GFile(path, "rb")

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


def gfile():
    """Returns tf.io.gfile; its import takes seconds."""
    import tensorflow as tf

    return tf.io.gfile


@contextlib.contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Makes what tf.io.gfile raises an OSError."""
    if not is_remote(path):
        yield
        return
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, NotImplementedError) as error:
        raise OSError(str(error)) from error
