"""The features of examples → a file of records."""

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bert.data.records import record_bytes
from bert.data.records.fields import Field
from bert.data.records.record_output import frame_writer
from bert.data.records.record_reuse import Written

# Records that are encoded at a time.
_BATCH_RECORDS = 512


def write(
    path: str,
    fields: Sequence[Field],
    features: Iterable[Mapping[str, Sequence[float]]],
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
    features = iter(features)
    with frame_writer(path) as file:
        while batch := list(itertools.islice(features, _BATCH_RECORDS)):
            values = {field.name: _column(field, batch) for field in fields}
            for frame in record_bytes.frames(fields, values):
                file.write(frame)
                digest.update(frame)
                size += len(frame)
            lengths += _lengths(values["input_mask"])
    return Written(size, digest.hexdigest(), lengths)


def _column(
    field: Field, batch: Sequence[Mapping[str, Sequence[float]]]
) -> np.ndarray:
    """Returns one field of all examples, [examples, length]."""
    rows = [features[field.name] for features in batch]
    for row in rows:
        if len(row) != field.length:
            raise ValueError(
                f"{field.name} must hold {field.length} numbers. "
                f"Received: {len(row)}."
            )
    # Numbers of tokens are small, and the narrow type is quicker.
    narrow = np.int32 if field.per_token else np.int64
    dtype = np.float32 if field.dtype == "float32" else narrow
    numbers = np.fromiter(
        itertools.chain.from_iterable(rows), dtype, len(rows) * field.length
    )
    return numbers.reshape(len(rows), field.length)


def _lengths(mask: np.ndarray) -> list[int]:
    """Does in NumPy what `length_sorting.lengths` does."""
    positions = np.arange(1, mask.shape[1] + 1)
    return ((mask != 0) * positions).max(axis=1).tolist()
