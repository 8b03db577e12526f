"""What a run has written to its event files, as curves.

Reads them without TensorFlow, where they are local.
"""

import os
import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from bert.files import file_bytes

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

# Where `training.results` writes the figures of evaluations.
EVAL_FOLDER = "eval"
_DT_FLOAT = 1  # of TensorFlow's types.proto


class Curve(NamedTuple):
    """A figure, step by step.

    Attributes:
        steps: in order, each once.
        values: at each step.
    """

    steps: list[int]
    values: list[float]


def read(output_dir: str) -> dict[str, Curve]:
    """Returns the curves of a run by their tags, sorted.

    A run that was stopped and went on has several event files: where two have
    the same step, the later one counts. A file that is cut off, or still being
    written, is read as far as it goes.

    Args:
        output_dir: of the run. The tags of its folder `eval/` get that in
            front: `eval/f1`. A folder without event files has no curves.

    Raises:
        OSError: a file cannot be read.
    """
    points: dict[str, dict[int, float]] = {}
    for prefix in ("", f"{EVAL_FOLDER}/"):
        for path in _event_files(os.path.join(output_dir, prefix)):
            for tag, step, value in _scalars(path):
                points.setdefault(prefix + tag, {})[step] = value
    return {
        tag: Curve(*map(list, zip(*sorted(own.items()), strict=True)))
        for tag, own in sorted(points.items())
    }


def _event_files(folder: str) -> list[str]:
    """Returns a folder's event files, the oldest first."""
    escaped = re.sub(r"([*?[])", r"[\1]", folder)
    files = file_bytes.matching(os.path.join(escaped, "*.tfevents.*"))

    def begun(path: str) -> tuple[float, str]:
        # events.out.tfevents.<seconds>.<host>.<process>.<number of it>.v2
        found = re.search(r"\.tfevents\.(\d+)", path)
        return (float(found[1]) if found else 0.0, path)

    return sorted(files, key=begun)


def _scalars(path: str) -> Iterator[tuple[str, int, float]]:
    """Yields (tag, step, value) of an event file."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    for record in _records(path):
        try:
            event = Event.FromString(record)
        except DecodeError:
            return
        for value in event.summary.value:
            number = _number(value)
            if number is not None:
                yield value.tag, event.step, number


def _records(path: str) -> Iterator[bytes]:
    """Yields what is whole of a file's records.

    A record is its length in 8 bytes, their checksum in 4, itself, its
    checksum in 4.
    """
    size, _ = file_bytes.size_and_time(path)
    with file_bytes.reading(path) as file:
        while len(head := file.read(12)) == 12:
            length = int.from_bytes(head[:8], "little")
            if file.tell() + length + 4 > size:
                return
            yield file.read(length)
            file.read(4)


def _number(value: "Summary.Value") -> float | None:
    """Returns a scalar, as TensorFlow 2 or 1 writes it; None: it is none."""
    number: float | None = None
    tensor = value.tensor
    if value.HasField("simple_value"):
        number = value.simple_value
    elif tensor.dtype == _DT_FLOAT and not tensor.tensor_shape.dim:
        (number,) = tensor.float_val or struct.unpack(
            "<f", tensor.tensor_content
        )
    return None if number is None else float(f"{number:.7g}")
