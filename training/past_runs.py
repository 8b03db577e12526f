"""The runs that diaries tell of (`training.diary`), and how they differ.

Imports without TensorFlow.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.errors import UserError
from bert.files import file_bytes, json_log
from bert.training import diary

# Of each run anyway, or shown beside its name.
_OWN_FLAGS = ("output_dir", "records_dir")
_HASH_CHARS = 8


class PastRun(NamedTuple):
    """A start of a run.

    Attributes:
        folder: where its diary lies.
        entry: what that says.
        settings: what it was made with, by name, as text.
        figures: what its evaluation gave, by name.
    """

    folder: str
    entry: Mapping[str, Any]
    settings: Mapping[str, str]
    figures: Mapping[str, Any]

    @property
    def diary(self) -> str:
        """The diary's path."""
        return os.path.join(self.folder, diary.FILE_NAME)

    @property
    def state(self) -> str:
        """How it ended, in words."""
        entry = self.entry
        status = str(entry.get("status"))
        if status == "started":
            return "goes on, or was killed"
        more = [entry.get("error") or entry.get("signal")]
        if isinstance(seconds := entry.get("seconds"), int | float):
            more.append(f"{seconds:.0f} s")
        if isinstance(memory := entry.get("peak_rss_mib"), int):
            more.append(f"{memory} MiB")
        return ", ".join(str(each) for each in [status, *more] if each)


def find(folders: Sequence[str]) -> list[PastRun]:
    """Returns the runs in and below folders, each once, in their order.

    Broken lines are warned of.

    Args:
        folders: local or remote.

    Raises:
        UserError: one is no folder, or has no runs.
        OSError: a diary cannot be read.
    """
    found: dict[str, list[PastRun]] = {}
    for folder in folders:
        if not file_bytes.is_folder(folder):
            raise UserError(
                "Expected the output_dir of a run, or a folder of such. "
                f"Received: {folder}, which is no folder; correct the path."
            )
        paths = list(_diaries(folder))
        if not paths:
            raise UserError(
                f"{folder}: expected {diary.FILE_NAME} in it or below, which "
                "each run leaves in its output_dir. Received: a folder without "
                "one; name another."
            )
        for path in paths:
            own = path if file_bytes.is_remote(path) else os.path.realpath(path)
            found.setdefault(own, read(path) if own not in found else [])
    all_runs = [run for runs in found.values() for run in runs]
    if not all_runs:
        raise UserError(
            f"Expected runs in {diary.FILE_NAME}, a JSON object a line. "
            f"Received: no such line in {', '.join(found)}; name other folders."
        )
    return all_runs


def below(folder: str) -> list[PastRun]:
    """Returns the runs in and below a folder; none where there is none."""
    return [run for path in _diaries(folder) for run in read(path)]


def _diaries(folder: str) -> Iterator[str]:
    if not file_bytes.is_remote(folder):
        walk = os.walk(folder)
    else:
        walk = file_bytes.gfile().walk(folder)
    for place, folders, names in walk:
        folders.sort()
        if diary.FILE_NAME in names:
            yield os.path.join(place, diary.FILE_NAME)


def read(path: str) -> list[PastRun]:
    """Returns the runs of a diary; warns of broken lines.

    Raises:
        OSError: it cannot be read.
    """
    entries, broken = json_log.read(path)
    if broken:
        shown = ", ".join(map(str, broken[:10])) + ", …" * (len(broken) > 10)
        logging.warning(
            "%s: %d line(s) are no run and left out: %s",
            *(path, len(broken), shown),
        )
    folder = os.path.dirname(path)
    return [
        PastRun(folder, entry, _settings(entry), _part(entry, "figures"))
        for entry in entries
    ]


def _part(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Returns an object in another; {} where it is none."""
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def _settings(entry: Mapping[str, Any]) -> dict[str, str]:
    flags = _part(entry, "flags")
    found = {k: v for k, v in flags.items() if k not in _OWN_FLAGS}
    if flags.get("random_seed") is None:
        found["random_seed"] = entry.get("seed")  # that was drawn
    data = entry.get("data")
    for file in data if isinstance(data, list) else []:
        if isinstance(file, dict):
            digest = file.get("sha256") or file.get("sha256_of_ends")
            name = os.path.basename(str(file.get("file")))
            # The path is a flag.
            found[f"hash of {name}"] = str(digest)[:_HASH_CHARS]
    for name, version in _part(entry, "versions").items():
        found[f"version of {name}"] = version
    commit, dash, dirty = str(entry.get("commit", "")).partition("-")
    found["commit"] = commit[:_HASH_CHARS] + dash + dirty
    for name, device in _part(entry, "devices").items():
        found[name] = ", ".join(device) if isinstance(device, list) else device
    return {name: _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    """Returns a value as one writes that of a flag; "" for None."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def differences(runs: Sequence[PastRun]) -> list[str]:
    """Returns the names of the settings that differ, as flags are ordered."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    return [
        name
        for name in names
        if len({run.settings.get(name, "") for run in runs}) > 1
    ]


def figure_names(runs: Sequence[PastRun]) -> list[str]:
    """Returns the names of all figures, a task's own first."""
    return list(dict.fromkeys(name for run in runs for name in run.figures))


def number(value: object) -> str:
    """Returns a figure with five digits."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.5g}" if is_number else _text(value)
