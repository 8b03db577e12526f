"""Paths that name a task: `runs/3#mrpc` is mrpc of the model in `runs/3`.

Of a run of several tasks (run_multitask.py). Imports without TensorFlow.
"""

import os
import re
from collections.abc import Sequence

from bert.errors import UserError
from bert.files import file_bytes

# What comes before the names of what is one task's: files and weights.
SCOPE = "tasks"
# Where a run keeps its best checkpoint.
BEST_FOLDER = "best"
# What a task may be called: a part of a path, and of a weight's name. File
# systems allow 255 bytes, of which temporary names need some.
MOST_CHARS = 100
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MOST_CHARS - 1}}}")


def split(path: str) -> tuple[str, str | None]:
    """Returns a path without the task that it names, and that task.

    None where it names none: what is there by this name counts as such.

    Args:
        path: a folder, or the prefix of a checkpoint.
    """
    where, mark, task = path.rpartition("#")
    if not mark or not NAME.fullmatch(task):
        return path, None
    is_there = any(file_bytes.exists(path + end) for end in ("", ".index"))
    return (path, None) if is_there else (where, task)


def join(path: str, task: str | None) -> str:
    """Returns a path that names a task; None: itself.

    Raises:
        UserError: no task is called so, or the path names one already.
    """
    if task is None:
        return path
    if not NAME.fullmatch(task) or split(path)[1]:
        raise UserError(
            "--task_name must be one of the model's tasks, which are named "
            f"once. Received: {task[:60]!r}, of {path}."
        )
    return f"{path}#{task}"


def own_folder(output_dir: str, task: str) -> str:
    """Returns where a run of several tasks keeps what is one task's."""
    return os.path.join(output_dir, SCOPE, task)


def check_new_folder(path: str, flag: str) -> None:
    """Raises UserError where a folder of this name would hide a task.

    Args:
        path: where to write; what is there already is no task.
        flag: the name of its flag, without dashes.
    """
    where, task = split(path)
    if task and os.path.isdir(own_folder(where, task)):
        raise UserError(
            f"--{flag}={path} is a task of the model in {where}, not a "
            "folder to write to; name another one."
        )


def folders(path: str) -> Sequence[str]:
    """Returns where the files of a model may be, the likeliest first.

    Args:
        path: the model's; may name a task, whose own folder comes first.
    """
    where, task = split(path)
    parent, name = os.path.split(where.rstrip("/"))
    around = (parent,) if name == BEST_FOLDER else ()
    if task is None:
        return where, *around
    return own_folder(*(around or (where,)), task), where, *around


def best_folder(output_dir: str) -> str:
    """Returns where a run keeps its best weights."""
    return os.path.join(output_dir, BEST_FOLDER)


def run_folder(folder: str) -> str | None:
    """Returns the output_dir around `own_folder`; None: it is no such one."""
    where, scope = os.path.split(os.path.dirname(folder.rstrip("/")))
    return where if scope == SCOPE else None


def folder_of(prefix: str) -> str:
    """Returns the folder of a checkpoint; it names the task likewise."""
    where, task = split(prefix)
    return join(os.path.dirname(where), task)


def index_of(prefix: str) -> str:
    """Returns the path of a checkpoint's index, whatever task it names."""
    return f"{split(prefix)[0]}.index"
