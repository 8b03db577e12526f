"""One file of examples → what is trained on, and what is held out.

--dev_fraction=0.1   trained on 9 of 10 rows, evaluated on the tenth
--folds=5            five models, each evaluated on the fifth that it has not
                     seen (`folds`)

The row numbers that are held out are kept in split.json: a run that goes on,
and who evaluates it later, takes those. Imports without TensorFlow.
"""

import collections
import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from absl import logging

from bert.data.tables import split
from bert.data.tables.rows import some
from bert.errors import UserError, one_line
from bert.files import file_bytes, text_input
from bert.tasks.config import SetsConfig

FILE_NAME = "split.json"
# What a split must have in common with the one that is kept.
_SETTINGS = ("dev_fraction", "folds", "split_seed", "data")


class Rows(NamedTuple):
    """A file's rows, as a split sees them.

    Attributes:
        path: the file.
        labels: those of each row; see `data.tables.split.parts`.
        texts: of each row; see there.
    """

    path: str
    labels: Sequence[Collection[str]]
    texts: Sequence[str]


class Split(NamedTuple):
    """Which rows are held out.

    Attributes:
        kept: what split.json says.
        dev: whether each row is held out from this run.
    """

    kept: Mapping[str, Any]
    dev: Sequence[bool]

    def sets(
        self, names: Collection[str], rows: Sequence[Any]
    ) -> dict[str, list[Any]]:
        """Returns the rows of those sets, train and dev, that are asked for."""
        return {
            name: [
                row
                for row, is_dev in zip(rows, self.dev, strict=True)
                if is_dev == (name == "dev")
            ]
            for name in ("train", "dev")
            if name in names
        }

    def to_json(self) -> str:
        """Returns the text of a split.json."""
        return json.dumps(self.kept) + "\n"


def find(
    config: SetsConfig, rows: Rows, model_folder: str | None = None
) -> Split:
    """Returns the split that is kept, else a new one; logs what it is.

    Args:
        config: the flags' values; they ask for a split.
        rows: of the file.
        model_folder: of a model that is only evaluated.

    Raises:
        UserError: what is kept is another file's, or was made with other
            flags, or is no split; or the rows are too few.
    """
    # It imports TensorFlow.
    from bert.model_folder import resume_file

    data = zip(map(sorted, rows.labels), rows.texts, strict=True)
    now = {
        "file": os.path.basename(rows.path),
        "rows": len(rows.texts),
        "dev_fraction": config.dev_fraction,
        "folds": config.folds,
        "split_seed": config.split_seed,
        "data": resume_file.digest(data),
    }
    kept = None
    for folder in filter(None, (config.split_folder, model_folder)):
        kept = kept or _kept(os.path.join(folder, FILE_NAME), now)
    held_out = kept["held_out"] if kept else _new(config, rows)
    own = {*held_out[config.fold - 1 if config.fold else 0]}
    dev = [number in own for number in range(1, len(rows.texts) + 1)]
    _log(rows, dev, config)
    return Split({**now, "held_out": held_out}, dev)


def _new(config: SetsConfig, rows: Rows) -> list[list[int]]:
    """Returns the row numbers of each part that is held out."""
    shares = config.split_shares
    number, least = len(shares) - 1, max(config.folds or 0, 2)
    different = len({*rows.texts})
    if different < least:
        raise UserError(
            f"{rows.path}: expected at least {least} different texts for "
            f"{config.split_flag}. Received: {different}."
        )
    found = split.parts(rows.labels, rows.texts, shares, config.split_seed)
    held_out: list[list[int]] = [[] for _ in range(number)]
    for row, part in enumerate(found, start=1):
        if part:
            held_out[part - 1].append(row)
    if not all(held_out):
        raise UserError(
            f"{rows.path}: expected more different texts of a label, so that "
            f"some can be held out ({config.split_flag}); those of a label "
            f"with one text are all trained on. Received: {different} in all."
        )
    return held_out


def _log(rows: Rows, dev: Sequence[bool], config: SetsConfig) -> None:
    logging.info(
        "%s: %d rows to train on, %d to evaluate (%s --split_seed=%d).",
        *(rows.path, dev.count(False), dev.count(True)),
        *(config.split_flag, config.split_seed),
    )
    repeated = len(rows.texts) - len({*rows.texts})
    if repeated:
        logging.info(
            "%s: %d row(s) have the text of another, and stand on its side.",
            *(rows.path, repeated),
        )
    texts: dict[str, set[str]] = collections.defaultdict(set)
    for own, text in zip(rows.labels, rows.texts, strict=True):
        for name in own:
            texts[name].add(text)
    if alone := sorted(name for name, own in texts.items() if len(own) == 1):
        logging.warning(
            "%s: labels of a single text are trained on, and not evaluated: "
            "%s.",
            *(rows.path, some(alone)),
        )


def _kept(path: str, now: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Returns what a split.json says; None where there is none.

    Raises:
        UserError: it is of other flags or rows than now, or no split.
    """
    if not file_bytes.exists(path):
        return None
    try:
        kept = json.loads(text_input.read(path))
        _check(kept)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: expected the row numbers that training keeps there. "
            f"Received: {one_line(error)[:80]}; restore the file, or name "
            "another --output_dir."
        ) from error
    changed = [name for name in _SETTINGS if kept[name] != now[name]]
    if changed:
        raise UserError(
            f"{path}: the rows held out were chosen with another "
            f"{_difference(changed[0], kept, now)}; give that again, or name "
            "another --output_dir."
        )
    return kept


def _check(kept: Any) -> None:
    """Raises ValueError for what is no split."""
    if not isinstance(kept, dict):
        raise ValueError(f"a JSON {type(kept).__name__}")
    for name in (*_SETTINGS, "file", "rows", "held_out"):
        if name not in kept:
            raise ValueError(f"no {name!r}")
    held_out, number = kept["held_out"], kept["folds"] or 1
    if type(kept["rows"]) is not int:
        raise ValueError(f"{kept['rows']!r} rows")
    if not isinstance(held_out, list) or len(held_out) != number:
        raise ValueError(f"not {number} list(s) in 'held_out'")
    for part in held_out:
        if not isinstance(part, list) or not part:
            raise ValueError(f"{part!r} in 'held_out'")
        for row in part:
            if type(row) is not int or not 0 < row <= kept["rows"]:
                raise ValueError(f"the row {row!r} of {kept['rows']}")


def _difference(
    name: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> str:
    """Says what a setting was and is."""
    if name == "data":
        return (
            f"file, other columns or other rows ({before['file']}, "
            f"{before['rows']} rows then; {now['file']}, {now['rows']} now)"
        )
    return f"--{name} ({before[name]} then, {now[name]} now)"
