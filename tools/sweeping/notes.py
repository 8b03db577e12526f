"""What a sweep notes in the folder of each run: sweep_run.json.

It says which flags the run was started with, and, once it is finished, which
figures it came to. Imports without TensorFlow.
"""

import glob
import json
import os
import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

from bert.errors import UserError
from bert.files import atomic_files

FILE_NAME = "sweep_run.json"
_RESULTS = "eval_results.txt"
_SHOWN_CHARS = 24


class Note(NamedTuple):
    """What is noted of a run.

    Attributes:
        values: of the script's flags, by name.
        is_finished: whether it ended well.
        figures: what it came to.
    """

    values: Mapping[str, Any]
    is_finished: bool = False
    figures: Mapping[str, float] = {}


def read(folder: str) -> Note | None:
    """Returns the note of a run; None where there is none.

    Raises:
        UserError: it is damaged.
    """
    path = os.path.join(folder, FILE_NAME)
    try:
        with open(path, "rb") as file:
            note = Note(**json.load(file))
        if all(isinstance(each, dict) for each in (note.values, note.figures)):
            return note
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, RecursionError):
        pass
    raise UserError(
        f"{path}: expected the note of a sweep. Received: something else; "
        "remove the folder that it is in."
    )


def check(folder: str, values: Mapping[str, Any]) -> None:
    """Checks that a folder is free, or has the run of these flags.

    Raises:
        UserError: it has something else.
    """
    note = read(folder)
    if note is None:
        names = os.listdir(folder) if os.path.isdir(folder) else []
        # A kill before the first note may leave half of it.
        half = atomic_files.TEMPORARY_PREFIX
        if any(not name.startswith(half) for name in names):
            raise UserError(
                f"{folder}: expected nothing, or a run of this sweep. "
                "Received: other files; name another --output_dir."
            )
        return
    now = _as_json(values)
    for name, before in note.values.items():
        # A flag that is new since then has its default.
        if name in now and now[name] != before:
            raise UserError(
                f"{folder} has a run with another --{name} "
                f"({_shown(before)} before, {_shown(now[name])} now); name "
                "another --output_dir, or remove that folder."
            )


def _shown(value: object) -> str:
    return f"{json.dumps(value, ensure_ascii=False):.{_SHOWN_CHARS}}"


def begin(folder: str, values: Mapping[str, Any]) -> None:
    """Notes that a run starts."""
    _write(folder, Note(values))


def finish(folder: str, values: Mapping[str, Any]) -> None:
    """Notes that a run is finished, and its figures."""
    _write(folder, Note(values, True, figures(folder)))


def _write(folder: str, note: Note) -> None:
    text = json.dumps(note._asdict(), ensure_ascii=False, default=str)
    atomic_files.write_text(os.path.join(folder, FILE_NAME), text + "\n")


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(values), default=str))


def figures(folder: str) -> dict[str, float]:
    """Returns what a run's eval_results.txt says; of folds, the means.

    Args:
        folder: its output_dir.
    """
    escaped = glob.escape(folder)
    paths = glob.glob(os.path.join(escaped, _RESULTS)) or sorted(
        glob.glob(os.path.join(escaped, "fold_*", _RESULTS))
    )
    found = [_read_results(path) for path in paths]
    return {
        name: statistics.fmean(own[name] for own in found)
        for name in (found[0] if found else ())
        if all(name in own for own in found)
    }


def _read_results(path: str) -> dict[str, float]:
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(" = ")
            try:
                found[name] = float(value)
            except ValueError:  # a text, such as which F1 it is
                continue
    found.pop("global_step", None)
    return found
