"""Lines of text → windows of padded sequences, for extract_features.py.

    a            ->  [CLS] a [SEP]
    a ||| b      ->  [CLS] a [SEP] b [SEP]

The original's rules: a line is stripped and split at its last " ||| ", and an
empty one gives [CLS] [SEP].
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import logging

from bert.data.records import packing
from bert.errors import UserError
from bert.files import file_bytes, text_input
from bert.tasks.spec import INPUTS

# Imported where it is used: `Line` is what a request of any runtime is.
if TYPE_CHECKING:
    import tensorflow as tf

_SEPARATOR = " ||| "


class Line(NamedTuple):
    """A line's texts; text_b is None where there is one only."""

    text_a: str
    text_b: str | None


def split_line(line: str) -> Line:
    """Splits a line into its texts; carriage returns are no part of it."""
    line = line.replace("\r", "").strip()
    text_a, separator, text_b = line.rpartition(_SEPARATOR)
    return Line(text_a, text_b) if separator else Line(text_b, None)


@contextlib.contextmanager
def open_lines(path: str, flag: str) -> Iterator[Iterator[Line]]:
    """Opens a file of lines, and looks at the first.

    Args:
        path: local (a pipe, too), or what TensorFlow reads; may be packed.
        flag: where it comes from; for messages.

    Yields:
        What `read_lines` does.

    Raises:
        UserError: it cannot be read, or is empty.
    """
    with contextlib.ExitStack() as stack:
        try:
            with file_bytes.os_errors(path):
                file = stack.enter_context(text_input.reader(path))
                first = next(iter(file), None)
        except OSError as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"Cannot read --{flag}={path}: {reason}. Expected a text "
                "file, one line a row."
            ) from error
        if first is None:
            raise UserError(
                f"Expected lines of text. Received: --{flag}={path}, empty."
            )
        yield read_lines(path, itertools.chain([first], file))


def read_lines(name: str, lines: Iterable[bytes]) -> Iterator[Line]:
    """Yields the lines of a file.

    Bytes that are not UTF-8 are left out, with one warning at the end.

    Args:
        name: of the file, for the warning.
        lines: its lines.
    """
    num_bad, first_bad = 0, 0
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            text = line.decode("utf-8", "ignore")
            num_bad += 1
            first_bad = first_bad or number
        yield split_line(text)
    if num_bad:
        logging.warning(
            "%s: expected UTF-8 text. Received %d lines with other bytes, "
            "which are left out (the first: line %d); convert the text to "
            "UTF-8.",
            name,
            num_bad,
            first_bad,
        )


def windows(
    packed: Iterable[packing.Packed], num_rows: int, seq_length: int
) -> tuple["tf.data.Dataset", Callable[[Exception], Exception]]:
    """Pads sequences and puts them together, num_rows at a time.

    They are read as they are needed, and only once.

    Returns:
        The windows, each with the `INPUTS`, int32 [rows, seq_length]. And,
        as TensorFlow makes an error of its own of one that comes up in
        `packed`: what gives the true one for it.
    """
    import tensorflow as tf

    from bert.data.records.without_autotune import without_autotune

    errors: list[Exception] = []

    def arrays():
        try:
            sequences = iter(packed)
            while window := list(itertools.islice(sequences, num_rows)):
                rows = [packing.pad(ids, seq_length) for ids in window]
                yield {
                    name: np.array([row[name] for row in rows], np.int32)
                    for name in INPUTS
                }
        except Exception as error:
            errors.append(error)
            raise

    dataset = tf.data.Dataset.from_generator(
        arrays,
        output_signature=dict.fromkeys(
            INPUTS, tf.TensorSpec([None, seq_length], tf.int32)
        ),
    )
    dataset = without_autotune(dataset)
    return dataset, lambda error: errors[0] if errors else error
