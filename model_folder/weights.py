"""Which checkpoint of a folder is meant: one rule for all commands.

The best where there is one, which --save_best keeps, else the newest;
`--checkpoint` names another. A training alone goes on from the newest.
"""

import contextlib
import os

from absl import logging

from bert.data.tables import rows
from bert.errors import UserError
from bert.files import file_bytes, task_paths
from bert.model_folder import locate
from bert.modeling import checkpoint_paths
from bert.modeling.checkpoint_reader import Reader
from bert.training import checkpointing


def find(path: str, wanted: str | int | None = None) -> str:
    """Does as `choose`, and says in a log line which it is, and why."""
    where, task = task_paths.split(path)
    if task:
        return task_paths.join(find(where, wanted), task)
    prefix = choose(path, wanted)
    if _has_choice(path):
        reason = _reason(path, prefix)
        if wanted is not None:
            reason = f"as --checkpoint={wanted} says"
        logging.info("The checkpoint is %s: %s.", prefix, reason)
    return prefix


def choose(path: str, wanted: str | int | None = None) -> str:
    """Returns the prefix of the weights that a path means.

    Args:
        path: the folder of a run or of a published checkpoint; or what leaves
            no choice: a prefix, an .index file, a SavedModel.
        wanted: "best", "newest", a global step, or a prefix, which may be that
            of a name in the folder; None: the best where there is one, else
            the newest.

    Raises:
        UserError: there is no such checkpoint.
    """
    where, task = task_paths.split(path)
    if task:
        return task_paths.join(choose(where, wanted), task)
    if not _has_choice(path):
        prefix = checkpoint_paths.resolve(path)
        if wanted is None:
            return prefix
        raise UserError(
            "--checkpoint says which checkpoint of a folder is meant, and "
            f"{path} is one itself. Received: --checkpoint={wanted}; leave it "
            "out."
        )
    best = best_of(path)
    if wanted in (None, "best") and best:
        return best
    if wanted in (None, "newest"):
        return checkpointing.newest(path) or checkpoint_paths.resolve(path)
    if wanted == "best":
        raise UserError(
            f"Expected a best checkpoint in {task_paths.best_folder(path)}, "
            "which --save_best keeps there. Received: none; leave "
            "--checkpoint=best out, or name one of "
            f"{rows.some(_names(path))}."
        )
    return _named(path, str(wanted))


def best_of(folder: str) -> str | None:
    """Returns the prefix of the best weights of a run, or None."""
    return checkpointing.newest(task_paths.best_folder(folder))


def _has_choice(path: str) -> bool:
    """Whether a path is a folder of checkpoints."""
    checkpoint_paths.check_path(path)
    return file_bytes.is_folder(path) and not locate.is_saved_model(path)


def _named(path: str, wanted: str) -> str:
    """Returns the checkpoint of a folder that a step or a prefix names."""
    names = _names(path)
    listed = rows.some(names) or "none"
    if wanted.isascii() and wanted.isdecimal():
        name = f"model.ckpt-{wanted.lstrip('0') or '0'}"
        for found in (name, os.path.join(task_paths.BEST_FOLDER, name)):
            if found in names:
                return os.path.join(path, found)
    elif wanted:
        for candidate in (wanted, os.path.join(path, wanted)):
            with contextlib.suppress(UserError):
                return choose(candidate)
    raise UserError(
        f"No checkpoint found for --checkpoint={wanted}. Expected best, "
        f"newest, a global step or a prefix. In {path}: {listed}."
    )


def _names(path: str) -> list[str]:
    """Returns the prefixes of a folder's checkpoints, those of `best` first.

    Then the newest first.
    """
    found = []
    for folder in (task_paths.BEST_FOLDER, ""):
        inside = os.path.join(path, folder)
        files = (
            file_bytes.names_in(inside) if file_bytes.is_folder(inside) else ()
        )
        indices = filter(checkpoint_paths.is_index, files)
        found += [
            os.path.join(folder, name.removesuffix(".index"))
            for name in sorted(
                indices, key=checkpoint_paths.numbers_as_such, reverse=True
            )
        ]
    return found


def _reason(path: str, prefix: str) -> str:
    """Says why a checkpoint is the one of its folder."""
    if prefix != best_of(path):
        return "the newest, as there is no best one"
    by = other = ""
    with contextlib.suppress(UserError):  # the weights are what counts
        state = checkpointing.read_state(Reader(prefix))
        if state and state.best_metric:
            by = f" by {state.best_metric}, {state.best_value:g}"
        if newest := checkpointing.newest(path):
            name = os.path.basename(newest)
            is_same = name == os.path.basename(prefix)
            other = f"; the newest is {name} (--checkpoint=newest)"
            other = ", and the newest" if is_same else other
    return f"the best{by}{other}"
