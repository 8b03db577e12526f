"""Paths that flags name, looked at before any work starts."""

import os
from collections.abc import Iterable

from bert.errors import UserError
from bert.files import atomic_files, file_bytes


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
        found = file_bytes.matching(pattern) if pattern else []
        if not found:
            raise UserError(
                f"No file matches --{flag}. Expected paths or glob patterns, "
                f"separated by commas. Received: {pattern!r}."
            )
        folders = [name for name in found if file_bytes.is_folder(name)]
        if folders:
            raise UserError(
                f"--{flag} names a folder where files are expected: "
                f"{folders[0]}; write {folders[0].rstrip('/')}/*."
            )
        files += found
    return files


def check_scheme(path: str, flag: str) -> None:
    """Raises UserError where TensorFlow knows no such remote files.

    Args:
        path: a path or several, separated by commas.
        flag: where it comes from; for messages.
    """
    for each in path.split(","):
        scheme = each.partition("://")[0]
        if not file_bytes.is_remote(each):
            continue
        known = file_bytes.gfile().get_registered_schemes()
        if scheme not in known:
            names = ", ".join(f"{name}://" for name in sorted(known) if name)
            raise UserError(
                f"--{flag} must be a local path, or begin with one of {names}. "
                f"Received: {each}; use a local copy."
            )


def check_folder(path: str, flag: str) -> None:
    """Raises UserError where no files could be written in a folder.

    Args:
        path: the folder, which may be missing; remote ones are not tried.
        flag: where it comes from; for messages.
    """
    if file_bytes.is_remote(path):
        return
    fault: str | None = "is a file; name a folder"
    if os.path.isdir(path):
        fault = atomic_files.why_not_writable(os.path.join(path, "trial"))
    elif not os.path.exists(path):
        fault = atomic_files.why_no_folder(path)
    if fault:
        raise UserError(
            "Expected a folder that can be written to. Received: "
            f"--{flag}={path}, which {fault}."
        )


def check_writable(path: str, flag: str, what: str = "records") -> None:
    """Raises UserError where no file could be written at `path`.

    Args:
        path: where they are to go.
        flag: where it comes from; for messages.
        what: is to be written; for messages.
    """
    fault = None
    if file_bytes.is_folder(path):
        fault = "is a folder; add the name of a file"
    elif not file_bytes.is_remote(path):
        # Object stores have neither folders nor devices.
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.exists(path) and not os.path.isfile(path):
            fault = "is no plain file; name another"
        elif not os.path.isdir(folder):
            fault = f"is in a folder that does not exist; make {folder}"
        else:
            fault = atomic_files.why_not_writable(path)
    if fault:
        raise UserError(
            f"Expected a file that {what} can be written to. "
            f"Received: --{flag}={path}, which {fault}."
        )


def check_new_file(
    path: str, flag: str, overwrite: bool, input_files: Iterable[str] = ()
) -> None:
    """Raises UserError where a file cannot be written, or must not be.

    Args:
        path: where a text is to go.
        flag: where it comes from; for messages.
        overwrite: whether it may be there already.
        input_files: files that it must not replace.
    """
    check_scheme(path, flag)
    check_writable(path, flag, "text")
    if os.path.realpath(path) in map(os.path.realpath, input_files):
        raise UserError(
            f"--{flag}: {path} is also an input; name another file."
        )
    if file_bytes.exists(path) and not overwrite:
        raise UserError(
            f"--{flag}: {path} is there already; name another file, or say "
            "--overwrite."
        )
