"""The labels of a model, kept beside it, and their weights in training."""

import collections
import math
import os
from collections.abc import Collection, Sequence

from data import rows
from errors import UserError

FILE_NAME = "labels.txt"


def check_names(labels: Sequence[str], source: str, least: int = 2) -> None:
    """Raises UserError where labels cannot be told apart or kept.

    Args:
        labels: their names.
        source: where they come from; for messages.
        least: how many there must be.
    """
    doubled = [n for n, c in collections.Counter(labels).items() if c > 1]
    if doubled:
        raise UserError(
            f"{source}: expected labels that differ. Received: "
            f"{doubled[0]!r} twice."
        )
    for label in labels:
        one_line = isinstance(label, str) and len(label.splitlines()) == 1
        if not one_line or not label.strip():
            raise UserError(
                f"{source}: expected labels that are texts of one line, and "
                f"not empty. Received: {label!r}."
            )
    if len(labels) < least:
        raise UserError(
            f"{source}: expected at least {least} labels. Received: "
            f"{', '.join(labels) or 'none'}; is it the right column "
            "(--label_column)?"
        )


def read(folder: str) -> list[str] | None:
    """Returns the labels kept in a folder, or None.

    Raises:
        UserError: the file is no text, or holds no labels.
    """
    path = os.path.join(folder, FILE_NAME)
    if not rows.exists(path):
        return None
    lines = [line for _, line in rows.numbered_lines(rows.read_text(path))]
    check_names(lines, path, least=1)
    return lines


def folders_of(checkpoint: str | None) -> list[str]:
    """Returns where the labels of a checkpoint may be.

    Args:
        checkpoint: its prefix, its .index file or its folder, which may be
            the folder `best` of a run.
    """
    if not checkpoint:
        return []
    folder = checkpoint.rstrip("/")
    parent = os.path.dirname(folder)
    in_best = os.path.basename(parent) == "best"
    return [folder, parent, *([os.path.dirname(parent)] if in_best else [])]


def known(given: str | None, folders: Sequence[str]) -> list[str] | None:
    """Returns the labels that a flag names, or that a model's folder keeps.

    Args:
        given: --labels: names separated by commas; wins.
        folders: where to look for labels.txt, in this order; output_dir
            first. None at all: a model to be trained has none yet.

    Returns:
        The names; None where there is no folder to look in.

    Raises:
        UserError: the flag's are empty or twice; no folder has the file.
    """
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        check_names(names, "--labels", least=1)
        return names
    if not folders:
        return None
    for folder in folders:
        if names := read(folder):
            return names
    raise UserError(
        f"Expected {FILE_NAME}, which training leaves, in --output_dir="
        f"{folders[0]} or beside --init_checkpoint. Received: neither; name "
        "the model's labels in their order (--labels=a,b,c)."
    )


def write(folder: str, labels: Sequence[str]) -> None:
    """Keeps the labels in a folder, one a line, in the order of their ids."""
    import atomic_files  # here, as it imports TensorFlow

    atomic_files.write_text(
        os.path.join(folder, FILE_NAME),
        "".join(label + "\n" for label in labels),
    )


def check_kept(labels: Sequence[str], folder: str) -> None:
    """Raises UserError where the labels kept with a model are others.

    Args:
        labels: those of the task or the training set.
        folder: the model's; without a file of labels it passes.
    """
    kept = read(folder)
    if kept is None or kept == list(labels):
        return
    raise UserError(
        f"{os.path.join(folder, FILE_NAME)}: the model in --output_dir was "
        f"trained with the {len(kept)} labels {rows.some(kept)}. Received: "
        f"the {len(labels)} labels {rows.some(labels)}; give the model's "
        "labels in their order (--labels), or another --output_dir."
    )


def class_weights(
    text: str, kind: str, names: Sequence[str], own: Sequence[Collection[str]]
) -> list[float]:
    """Returns how much each label's examples count in training.

    Args:
        text: "neg:1.0,pos:3.5", a number for each label; or "balanced": n /
            (L * n of the label), so that all labels count the same together;
            where several labels may hold, examples without a label for each
            one with it.
        kind: see `data.classification.DataProcessor`.
        names: the labels.
        own: those of each training example.

    Raises:
        UserError: a label is unknown, missing, or given twice; a weight is no
            number above 0; or "balanced" is not defined.
    """
    if text == "balanced":
        return _balanced(kind, names, own)
    return _given_weights(text, names)


def _balanced(
    kind: str, names: Sequence[str], own: Sequence[Collection[str]]
) -> list[float]:
    total = len(own)
    counter = collections.Counter(name for each in own for name in set(each))
    for name in names:
        count = counter[name]
        if count == 0 or (kind == "multi_label" and count == total):
            raise _weights_fault(
                "balanced",
                f"{name!r} is on {count} of {total} training examples",
            )
    if kind == "multi_label":
        return [(total - counter[name]) / counter[name] for name in names]
    return [total / (len(names) * counter[name]) for name in names]


def _given_weights(text: str, labels: Sequence[str]) -> list[float]:
    weights: dict[str, float] = {}
    for part in text.split(","):
        label, _, weight = part.rpartition(":")
        label = label.strip()
        if label not in labels:
            raise _weights_fault(
                part, f"the labels are {rows.some(labels)}; {label!r} is none"
            )
        if label in weights:
            raise _weights_fault(part, f"{label!r} stands there twice")
        weights[label] = _weight(part, weight)
    missing = [label for label in labels if label not in weights]
    if missing:
        raise _weights_fault(text, f"{rows.some(missing)} has none")
    return [weights[label] for label in labels]


def _weight(part: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise _weights_fault(part, f"{text!r} is no number above 0")
    return weight


def _weights_fault(received: str, reason: str) -> UserError:
    return UserError(
        "--class_weights: expected balanced, or a weight above 0 for each "
        f"label (neg:1.0,pos:3.5). Received: {received!r}, but {reason}."
    )
