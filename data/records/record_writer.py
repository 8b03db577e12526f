"""The features of examples → a file of records."""

import hashlib
import itertools
import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bert.data.records import record_bytes
from bert.data.records.fields import Field
from bert.data.records.record_output import frame_writer
from bert.data.records.record_reuse import Written

# Records that are encoded at a time.
_BATCH_RECORDS = 1024


def write(
    path: str,
    fields: Sequence[Field],
    features: Iterable[Mapping[str, Sequence[float] | np.ndarray]],
) -> Written:
    """Writes a record for each example.

    Args:
        path: as `files.atomic_files.replacing` takes it.
        fields: what to write; `input_mask` is among them.
        features: of each example, in order: by field name, `length` numbers,
            none negative; other names are left out.

    Raises:
        OSError: it cannot be written.
        ValueError: a field's numbers are not as many as they must be.
    """
    digest = hashlib.sha256()
    size = 0
    lengths: list[int] = []
    shape = next(field.shape for field in fields if field.name == "input_mask")
    # As bytes: so many lists of numbers would keep the garbage collector busy.
    rows = (_packed(fields, values) for values in features)
    with frame_writer(path) as file:
        while batch := list(itertools.islice(rows, _BATCH_RECORDS)):
            columns = map(b"".join, zip(*batch, strict=True))
            arrays = {
                field.name: np.frombuffer(column, _layout(field)).reshape(
                    -1, field.length
                )
                for field, column in zip(fields, columns, strict=True)
            }
            for frame in record_bytes.frames(fields, arrays):
                file.write(frame)
                digest.update(frame)
                size += len(frame)
            lengths += _lengths(arrays["input_mask"], shape)
    return Written(size, digest.hexdigest(), lengths)


def _packed(
    fields: Sequence[Field], values: Mapping[str, Sequence[float] | np.ndarray]
) -> list[bytes]:
    """Returns the numbers of each field of an example."""
    packed = []
    for field in fields:
        numbers = values[field.name]
        if len(numbers) != field.length:
            raise ValueError(
                f"{field.name} must hold {field.length} numbers. "
                f"Received: {len(numbers)}."
            )
        layout = _layout(field)
        packed.append(
            numbers.astype(layout).tobytes()
            if isinstance(numbers, np.ndarray)
            else struct.pack(f"{field.length}{layout}", *numbers)
        )
    return packed


def _layout(field: Field) -> str:
    """Returns how a number is packed, as `struct` and NumPy call it."""
    if field.dtype == "float32":
        return "f"
    # Numbers of tokens are small, and the narrow type is quicker.
    return "i" if field.per_token else "q"


def _lengths(mask: np.ndarray, shape: Sequence[int]) -> list[int]:
    """Does in NumPy what `length_sorting.lengths` does.

    Args:
        mask: int [examples, length].
        shape: the field's.
    """
    positions = np.arange(1, shape[-1] + 1)
    ends = (mask.reshape(len(mask), -1, shape[-1]) != 0) * positions
    return ends.max(axis=(1, 2)).tolist()
