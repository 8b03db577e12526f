"""Output files that appear complete or not at all.

Local files need no TensorFlow.
"""

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping

from bert.files import file_bytes
from bert.files.file_bytes import gfile

# Reserved: what is so named may be replaced and removed.
TEMPORARY_PREFIX = ".tmp-bert-"
# Of renameat2(2), from fcntl.h and linux/fs.h.
_AT_FDCWD, _EXCHANGE = -100, 2


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
        with naming(path):
            yield temporary
            sync(temporary)
            file_bytes.rename(temporary, path)
    finally:
        if file_bytes.exists(temporary):
            file_bytes.remove(temporary)


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Gives an error of a full disk, which names no file, a path.

    Args:
        path: what is being written.
    """
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if is_full and error.filename is None:
            error.filename = path
        raise


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
    with leaving_no_folder(os.path.dirname(path)), naming(path):
        gfile().makedirs(temporary)
        try:
            yield temporary
            for folder, _, names in gfile().walk(temporary):
                for name in names:
                    sync(os.path.join(folder, name))
            _replace_folder(temporary, path)
        finally:
            _remove_folder(temporary)


@contextlib.contextmanager
def leaving_no_folder(path: str) -> Iterator[None]:
    """Removes, at an error, a folder that was made in between and is empty.

    And those that it is in, if they are new and empty, too.

    Args:
        path: the folder's; nothing is done where it is remote.
    """
    new = []
    folder = path
    while not file_bytes.is_remote(path) and not os.path.exists(folder or "."):
        new.append(folder)
        folder = os.path.dirname(folder.rstrip("/"))
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # where one is not empty
            for folder in new:
                os.rmdir(folder)
        raise


def restore_folder(path: str) -> None:
    """Brings back the folder that a killed process was about to replace.

    Call it before looking at what `replacing_folder` will replace.

    Args:
        path: what that takes.
    """
    path = _folder_path(path)
    old = _old_name(path)
    if not file_bytes.exists(path) and file_bytes.exists(old):
        gfile().rename(old, path)


def _replace_folder(new: str, path: str) -> None:
    old = _old_name(path)
    _remove_folder(old)
    if _exchange(new, path):
        return
    # In two steps; for a moment there is none, see `restore_folder`.
    if gfile().exists(path):
        gfile().rename(path, old)
    try:
        gfile().rename(new, path)
    except BaseException:
        if gfile().exists(old):
            gfile().rename(old, path)
        raise
    _remove_folder(old)


def replace_files(
    folder: str, gone: Collection[str], new: Mapping[str, str]
) -> bool:
    """Replaces files of a local folder, all in one step.

    A second folder gets links to what is new and to what stays, and changes
    places with the first.

    Args:
        folder: the folder.
        gone: the names in it that are not to be there afterwards.
        new: files of the same file system, by their names there.

    Returns:
        Whether it is done. If not, the system cannot do it, and nothing has
        changed.
    """
    folder = os.path.realpath(folder)
    inside = os.path.join(folder, "")
    is_ours = os.stat(folder).st_uid == os.geteuid()
    if not is_ours or os.path.join(os.getcwd(), "").startswith(inside):
        return False  # it would be another's; or not the folder we are in
    other = _temporary_name(folder)
    try:
        _remove_folder(other)  # of a killed process
        shutil.copytree(
            *(folder, other),
            symlinks=True,
            ignore=lambda path, _: gone if path == folder else (),
            copy_function=os.link,
        )
        for name, path in new.items():
            os.link(path, os.path.join(other, name))
        return _exchange(other, folder)
    except OSError:  # no room beside it, or no links there
        return False
    finally:
        _remove_folder(other)


def _exchange(path: str, other: str) -> bool:
    """Lets two local folders change places in one step.

    Returns:
        Whether they have: not where one is missing or remote, nor where the
        system cannot do it. Linux can, in most file systems.
    """
    if sys.platform != "linux" or not os.path.isdir(other):
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)  # of glibc
    if rename is None:
        return False
    names = os.fsencode(path), os.fsencode(other)
    return rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0


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
    if os.path.ismount(path) or os.path.islink(path):
        what = "a mount point" if os.path.ismount(path) else "a circle of links"
        return f"cannot be replaced: it is {what}; name a folder in another"
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
