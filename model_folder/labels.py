"""The labels of a model, kept beside it."""

import collections
import os
from collections.abc import Sequence
from typing import NamedTuple

from bert.data.tables import rows
from bert.errors import UserError
from bert.files import atomic_files, file_bytes

FILE_NAME = "labels.txt"


class Labels(NamedTuple):
    """Labels in the order of their numbers.

    Attributes:
        names: what they are called.
        origin: the file or flag that says so, for messages.
    """

    names: list[str]
    origin: str


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
                f"not empty. Received: {rows.shorten(label)}."
            )
    if len(labels) < least:
        raise UserError(
            f"{source}: expected at least {least} labels. Received: "
            f"{rows.some(labels) or 'none'}; is it the right column "
            "(--label_column)?"
        )


def check_count(assets: str, labels: Sequence[str], wanted: int) -> None:
    """Raises UserError where an export has not as many labels as outputs.

    Args:
        assets: the export's folder of them; for the message.
        labels: those that are there.
        wanted: how many the model has.
    """
    if len(labels) != wanted:
        found = f"{len(labels)} ({rows.some(labels)})" if labels else "none"
        raise UserError(
            f"{os.path.join(assets, FILE_NAME)}: expected the model's {wanted} "
            f"labels, one a line. Received: {found}; restore the file, or "
            "export the model anew."
        )


def read(folder: str) -> list[str] | None:
    """Returns the labels kept in a folder, or None.

    Raises:
        UserError: the file is no text, or holds no labels.
    """
    path = os.path.join(folder, FILE_NAME)
    if not file_bytes.exists(path):
        return None
    lines = [line for _, line in rows.numbered_lines(rows.read_text(path))]
    check_names(lines, path, least=1)
    return lines


def choose(
    flag: str | None,
    kept: Labels | None,
    from_training_set: bool,
    may_grow: bool = False,
) -> Labels | None:
    """Returns the labels that are known before the examples are read.

    Args:
        flag: --labels: names separated by commas, or a file with one a line;
            wins.
        kept: those of the checkpoint that training starts from.
        from_training_set: whether the training set tells them where the flag
            does not.
        may_grow: see `check_kept`.

    Returns:
        The names; None where the training set tells them.

    Raises:
        UserError: the flag's are empty, twice, or not those of the head; or
            nothing tells the labels.
    """
    if flag is not None:
        given = _given(flag)
        check_kept(given, kept, may_grow)
        return given
    if from_training_set:
        return None
    if kept is None:
        raise UserError(
            f"Expected {FILE_NAME}, which training leaves, beside the model "
            "(--output_dir or --init_checkpoint). Received: none there; name "
            "the model's labels in their order (--labels=a,b,c)."
        )
    return kept


def _given(flag: str) -> Labels:
    """Returns what --labels names."""
    if os.path.isfile(flag):
        lines = rows.numbered_lines(rows.read_text(flag))
        names = [line.strip() for _, line in lines]
    else:
        names = [name.strip() for name in flag.split(",")]
    origin = f"--labels={rows.shorten(flag)}"
    check_names(names, origin, least=1)
    return Labels(names, origin)


def write(folder: str, labels: Sequence[str]) -> None:
    """Keeps the labels in a folder, one a line, in the order of their ids."""
    atomic_files.write_text(os.path.join(folder, FILE_NAME), to_text(labels))


def to_text(labels: Sequence[str]) -> str:
    """Returns the text of a labels.txt."""
    return "".join(f"{label}\n" for label in labels)


def in_order_of(labels: Labels, kept: Labels | None) -> Labels:
    """Returns labels in the order of the checkpoint's, if they are the same.

    Earlier versions sorted those of a training set in other ways.
    """
    if kept is not None and sorted(kept.names) == sorted(labels.names):
        return kept
    return labels


def grown(kept: Labels, labels: Labels) -> Labels:
    """Returns the checkpoint's labels in their order, then those it lacks."""
    new = [name for name in labels.names if name not in kept.names]
    return Labels([*kept.names, *new], labels.origin)


def check_kept(
    labels: Labels, kept: Labels | None, may_grow: bool = False
) -> None:
    """Raises UserError where labels are not those of the checkpoint's head.

    Args:
        labels: those of the data or the flag.
        kept: those of the checkpoint that training starts from.
        may_grow: whether the command could keep both.
    """
    if kept is None or kept.names == labels.names:
        return
    is_new = may_grow and not {*labels.names} <= {*kept.names}
    grow = "keep both (--grow_labels), " if is_new else ""
    raise UserError(
        f"{kept.origin}: the model was trained with the {len(kept.names)} "
        f"labels {rows.some(kept.names)}. Received: the {len(labels.names)} "
        f"labels {rows.some(labels.names)} ({labels.origin}); give those "
        f"(--labels), {grow}or name another model."
    )
