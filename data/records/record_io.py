"""TFRecord files: one table of fields writes a record and parses it.

A table is a tuple of `Field`s. What `encode` writes by it, `parse` reads by
it, and `input_pipeline` checks files against it.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import tensorflow as tf

from bert.data.records.fields import Field as Field
from bert.data.records.record_output import check_writable as check_writable
from bert.files import atomic_files


def encode(
    fields: Sequence[Field], values: Mapping[str, Sequence[float]]
) -> bytes:
    """Returns a serialized tf.train.Example; equal values, equal bytes.

    Args:
        fields: what to write.
        values: by field name, `length` numbers; other names are left out.

    Raises:
        ValueError: a field's numbers are not as many as they must be.
    """
    example = tf.train.Example()
    features = example.features.feature
    for name, length, dtype, _ in fields:
        numbers = values[name]
        if len(numbers) != length:
            raise ValueError(
                f"{name} must hold {length} numbers. Received: {len(numbers)}."
            )
        if dtype == "float32":
            features[name].float_list.value.extend(numbers)
        else:
            features[name].int64_list.value.extend(numbers)
    return example.SerializeToString(deterministic=True)


def decode(
    fields: Sequence[Field], record: bytes
) -> dict[str, list[int] | list[float]]:
    """Returns what `encode` was given, in the order of the fields.

    For a look at single records: other than `parse` it starts no device.
    """
    features = tf.train.Example.FromString(record).features.feature
    return {
        name: list(
            features[name].float_list.value
            if dtype == "float32"
            else features[name].int64_list.value
        )
        for name, _, dtype, _ in fields
    }


def parse(
    fields: Sequence[Field],
    serialized: tf.Tensor,
    limits: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, tf.Tensor]:
    """Parses a batch of records.

    Args:
        fields: what to read; other features are left out.
        serialized: string [B].
        limits: for integer fields, what all values must be below; and none
            may be negative.

    Returns:
        By field name, [B, length]: int32 where the file has int64 (as the
        original does for the TPU's sake), else float32.

    Raises:
        tf.errors.InvalidArgumentError: a record is no tf.train.Example, or a
            field is missing or of another length or type, or a value is out
            of its limits.
    """
    parsed = tf.io.parse_example(
        serialized,
        {
            field.name: tf.io.FixedLenFeature([field.length], field.dtype)
            for field in fields
        },
    )
    for name, limit in limits.items():
        # Before the cast, which would wrap a large value round.
        in_range = (parsed[name] >= 0) & (parsed[name] < limit)
        tf.debugging.Assert(tf.reduce_all(in_range), [name])
    return {
        field.name: tf.cast(parsed[field.name], tf.int32)
        if field.dtype == "int64"
        else parsed[field.name]
        for field in fields
    }


@contextlib.contextmanager
def record_writer(path: str) -> Iterator[tf.io.TFRecordWriter]:
    """Writes a TFRecord file, which is there when it is whole or not at all.

    Args:
        path: as `files.atomic_files.replacing` takes it.

    Yields:
        A writer; `write(record)` appends a serialized record.
    """
    with (
        atomic_files.replacing(path) as temporary,
        tf.io.TFRecordWriter(temporary) as writer,
    ):
        yield writer
