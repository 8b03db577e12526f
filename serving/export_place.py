"""Where an export may be written, and whether there can be one.

Imports without TensorFlow: it is checked before all work.
"""

import fnmatch
import os
from collections.abc import Collection, Sequence

from bert.cli.config import TrainingConfig
from bert.data.text import tokenizers
from bert.errors import UserError
from bert.files import atomic_files, file_bytes
from bert.model_folder import labels as label_files
from bert.model_folder import locate, task_files
from bert.model_folder.task_files import Task
from bert.tasks import spec

# What assets/ may hold: see docs/export.md.
ASSET_FILES = frozenset(
    f"{task_files.ASSETS}/{name}"
    for name in (
        task_files.TASK_FILE,
        task_files.CONFIG_FILE,
        *tokenizers.FILES,
        label_files.FILE_NAME,
    )
)
RAW_STRINGS = "raw_strings"

_SAVED_MODEL = {
    "saved_model.pb",
    "fingerprint.pb",
    "variables/variables.index",
    "variables/variables.data-[0-9]*-of-[0-9]*",
    *ASSET_FILES,
}
# What an export may hold; a folder with more is not replaced.
_OURS = _SAVED_MODEL | {f"{RAW_STRINGS}/{name}" for name in _SAVED_MODEL}
# And what it does.
_NEEDED = ("saved_model.pb", f"{task_files.ASSETS}/{task_files.TASK_FILE}")
# What a run keeps in output_dir, beside its results.
_OF_A_RUN = (
    *("best", "eval", *spec.MARKS, "checkpoint", label_files.FILE_NAME),
    *(task_files.TASK_FILE, task_files.CONFIG_FILE, *tokenizers.FILES),
)


def check_run(config: TrainingConfig, results: Sequence[str] = ()) -> None:
    """Makes sure, before any work, that a run's export has a place.

    Args:
        config: of the run.
        results: the names of the files that it writes to output_dir.

    Raises:
        UserError: it has none.
    """
    folder = os.path.join(os.path.realpath(config.export_folder), "")
    output_dir = os.path.join(os.path.realpath(config.output_dir), "")
    if output_dir.startswith(folder):
        raise UserError(
            "--export_dir must be a folder of its own. Received: "
            f"{config.export_folder}, where --output_dir={config.output_dir} "
            "is; name another."
        )
    for name in (*results, *_OF_A_RUN):
        if os.path.join(output_dir, name, "") == folder:
            raise UserError(
                "--export_dir must be a folder of its own. Received: "
                f"{config.export_folder}, where the run writes its own {name}; "
                "name another."
            )
    check_export_dir(config.export_folder, overwrite=True)
    kept = None if config.do_train else locate.task(config.output_dir)
    if kept:
        check_task(kept, config.output_dir)


def check_task(task: Task, path: str) -> None:
    """Makes sure that a model can say all by one sequence.

    Args:
        task: what it is for.
        path: where it is; for the message.

    Raises:
        UserError: it reads texts in windows.
    """
    if task.long_texts.is_windows:
        raise UserError(
            "An export reads one sequence a text. Received: a model of "
            f"--truncation=windows, {path}, which reads several; ask it by "
            "predict.py, serve.py or Predictor."
        )


def check_export_dir(export_dir: str, overwrite: bool = False) -> None:
    """Makes sure that an export will replace nothing but an export.

    Raises:
        UserError: there is something else, or it is not to be overwritten, or
            nothing can be written there.
    """
    reason = "://" not in export_dir and atomic_files.why_no_folder(export_dir)
    if reason:
        raise UserError(f"--export_dir={export_dir} {reason}.")
    atomic_files.restore_folder(export_dir)
    if not file_bytes.exists(export_dir):
        return
    if not file_bytes.is_folder(export_dir):
        raise UserError(
            f"--export_dir={export_dir} must be a folder to make. Received: a "
            "file; name another."
        )
    if not file_bytes.names_in(export_dir):
        return
    foreign = foreign_names(export_dir, _OURS)
    missing = [
        name
        for name in _NEEDED
        if not file_bytes.exists(os.path.join(export_dir, name))
    ]
    if foreign or missing:
        what = f"with {foreign[0]}" if foreign else f"without {missing[0]}"
        raise UserError(
            f"--export_dir={export_dir} must be missing, empty or an earlier "
            f"export. Received: a folder {what}; name another."
        )
    if not overwrite:
        raise UserError(
            f"--export_dir={export_dir} holds an export already; name another, "
            "or replace it (--overwrite)."
        )


def foreign_names(folder: str, patterns: Collection[str]) -> list[str]:
    """Returns what a folder holds beside what we write, sorted.

    Args:
        folder: what is looked through, folders in it, too.
        patterns: of fnmatch: the files that we write, by their names from
            the folder on. What is in none of their folders is not ours.
    """
    ours = set()
    for pattern in patterns:
        while pattern := os.path.dirname(pattern):
            ours.add(pattern)
    foreign, folders = [], [""]
    # What is foreign is not looked into: it may be a whole disk.
    for below in folders:
        for name in file_bytes.names_in(os.path.join(folder, below)):
            path = os.path.join(below, name.rstrip("/"))
            if not file_bytes.is_folder(os.path.join(folder, path)):
                if not any(fnmatch.fnmatchcase(path, p) for p in patterns):
                    foreign.append(path)
            elif path in ours:
                folders.append(path)
            else:
                foreign.append(path)
    return sorted(foreign)
