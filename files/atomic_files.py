"""Output files that appear complete or not at all.

Local files need no TensorFlow.
"""

import contextlib
import os
from collections.abc import Iterator

from bert.files import file_bytes
from bert.files.file_bytes import gfile

# Reserved: what is so named may be replaced and removed.
TEMPORARY_PREFIX = ".tmp-bert-"


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
    path = path if file_bytes.is_remote(path) else os.path.realpath(path)
    temporary = _temporary_name(path)
    try:
        yield temporary
        sync(temporary)
        file_bytes.rename(temporary, path)
    finally:
        if file_bytes.exists(temporary):
            file_bytes.remove(temporary)


@contextlib.contextmanager
def replacing_folder(path: str) -> Iterator[str]:
    """Gives a temporary folder beside `path`, renamed to it at the end.

    An existing folder is removed then: check first that it may be.
    An error in between removes the temporary folder, and leaves what `path`
    was.

    Args:
        path: local, or anything that tf.io.gfile knows; missing parents are
            made.

    Yields:
        The name of an empty folder to write to.
    """
    path = _folder_path(path)
    restore_folder(path)
    temporary = _temporary_name(path)
    _remove_folder(temporary)  # of a killed process
    gfile().makedirs(temporary)
    try:
        yield temporary
        for folder, _, names in gfile().walk(temporary):
            for name in names:
                sync(os.path.join(folder, name))
        _replace_folder(temporary, path)
    finally:
        _remove_folder(temporary)


def restore_folder(path: str) -> None:
    """Brings back the folder that a killed process was about to replace.

    Call it before looking at what `replacing_folder` will replace.

    Args:
        path: what that takes.
    """
    path = _folder_path(path)
    old = _old_name(path)
    if not gfile().exists(path) and gfile().exists(old):
        gfile().rename(old, path)


def _replace_folder(new: str, path: str) -> None:
    # Folders cannot be exchanged in one step; for a moment there is none.
    old = _old_name(path)
    _remove_folder(old)
    if gfile().exists(path):
        gfile().rename(path, old)
    try:
        gfile().rename(new, path)
    except BaseException:
        if gfile().exists(old):
            gfile().rename(old, path)
        raise
    _remove_folder(old)


def _remove_folder(path: str) -> None:
    if gfile().exists(path):
        gfile().rmtree(path)


def write_text(path: str, text: str) -> None:
    """Writes a UTF-8 file, replacing one that was there."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str, content: bytes) -> None:
    """Writes a file, replacing one that was there."""
    with replacing(path) as temporary, file_bytes.writer(temporary) as out:
        out.write(content)


def sync(path: str) -> None:
    """Brings a local file to the disk, before it replaces another."""
    if not file_bytes.is_remote(path):
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def why_not_writable(path: str) -> str | None:
    """Tries to make a local file beside `path`; returns what prevented it."""
    temporary = _temporary_name(os.path.realpath(path))
    try:
        open(temporary, "wb").close()
        os.remove(temporary)
    except OSError as error:
        return f"cannot be written ({error.strerror}); name another"
    return None


def why_no_folder(path: str) -> str | None:
    """Tries to make a local folder beside `path`, or above where it will be.

    Returns:
        What prevented it; None where nothing did.
    """
    path = os.path.realpath(path)
    while not os.path.exists(os.path.dirname(path)):
        path = os.path.dirname(path)
    temporary = _temporary_name(path)
    if os.path.isdir(temporary):  # of a killed process
        return None
    try:
        os.mkdir(temporary)
        os.rmdir(temporary)
    except OSError as error:
        return (
            f"cannot be made: {os.path.dirname(path)} is no folder that can "
            f"be written to ({error.strerror}); name another"
        )
    return None


def _folder_path(path: str) -> str:
    if file_bytes.is_remote(path):
        return path.rstrip("/")
    return os.path.realpath(path)


def _old_name(path: str) -> str:
    folder, name = os.path.split(path)
    # No temporary name: those of a killed process are removed.
    return os.path.join(folder, f".old-bert-{name}")


def _temporary_name(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, TEMPORARY_PREFIX + name)
