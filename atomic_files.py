"""Output files that are there whole or not at all."""

import contextlib
import os
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def replacing(path: str) -> Iterator[str]:
    """Gives a temporary name in the same folder, renamed to `path` at the end.

    An error in between removes the temporary file, and leaves what `path`
    was. A symbolic link is followed, not replaced.

    Args:
        path: local, or anything that tf.io.gfile knows.

    Yields:
        The name to write to.
    """
    path = path if "://" in path else os.path.realpath(path)
    temporary = _temporary_name(path)
    try:
        yield temporary
        sync(temporary)
        tf.io.gfile.rename(temporary, path, overwrite=True)
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.remove(temporary)


def write_text(path: str, text: str) -> None:
    """Writes a UTF-8 file, replacing one that was there."""
    with replacing(path) as temporary, tf.io.gfile.GFile(temporary, "w") as out:
        out.write(text)


def sync(path: str) -> None:
    """Brings a local file to the disk, before it replaces another."""
    if "://" not in path:
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def why_not_writable(path: str) -> str | None:
    """Tries to make a local file beside `path`; returns what was in the way."""
    temporary = _temporary_name(os.path.realpath(path))
    try:
        with open(temporary, "wb"):
            pass
        os.remove(temporary)
    except OSError as error:
        return f"cannot be written ({error.strerror}); name another"
    return None


def _temporary_name(path: str) -> str:
    folder, name = os.path.split(path)
    # Nobody else's file has this name, so it may be replaced and removed.
    return os.path.join(folder, f".tmp-bert-{name}")
