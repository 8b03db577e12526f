"""Logs and writes the records of instances as the original does."""

import itertools
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from absl import logging

from bert.data.corpus import record_notes
from bert.data.corpus.record_notes import Note
from bert.data.records import record_output

_details = logging.get_absl_logger().getChild("details")

# How many instances are shown.
LOGGED_INSTANCES = 20


def log(tokens: Sequence[str], values: Mapping[str, Sequence[float]]) -> None:
    """Shows an instance.

    Args:
        tokens: without padding.
        values: what its record holds, by field.
    """
    _details.info("*** Example ***")
    _details.info("tokens: %s", " ".join(tokens))
    for name, numbers in values.items():
        _details.info("%s: %s", name, " ".join(map(str, numbers)))


def write(
    frames: Sequence[bytes],
    paths: Sequence[str],
    compression: str = "none",
    note: Note | None = None,
) -> None:
    """Writes records to files that take turns, each there once it is whole.

    Args:
        frames: what `record_bytes.frames` returns.
        paths: the files.
        compression: see `record_output.frame_writer`.
        note: is kept beside each.
    """
    with ExitStack() as stack:
        files = [
            stack.enter_context(record_output.frame_writer(path, compression))
            for path in paths
        ]
        for frame, file in zip(frames, itertools.cycle(files)):
            file.write(frame)
        # Now: records have no note rather than that of others.
        for path in paths:
            record_notes.remove_other(path, note)
    if note:
        for path in paths:
            record_notes.write(path, note)
    logging.info("Wrote %d total instances", len(frames))
