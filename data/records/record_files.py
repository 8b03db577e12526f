"""Record files → batches of tensors; what must hold, and which record fails."""

import contextlib
import dataclasses
import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
from absl import logging
from google.protobuf.message import DecodeError

from bert.data.records import frame_lengths, record_bytes
from bert.data.records.fields import Field
from bert.data.records.without_autotune import without_autotune
from bert.errors import UserError, one_line
from bert.files import file_bytes

Batch = dict[str, tf.Tensor]

_CHECKED_RECORDS = 1000
_GZIP_MAGIC = b"\x1f\x8b\x08"
# What reading a batch of bad records raises; the last where TensorFlow puts
# bytes of a record into its message.
READ_ERRORS = (
    tf.errors.DataLossError,
    tf.errors.InvalidArgumentError,
    UnicodeDecodeError,
)


@dataclasses.dataclass(frozen=True)
class RecordSource:
    """Record files and what must hold for every record in them.

    Attributes:
        files: paths, in reading order.
        fields: the record's features.
        limits: for integer features, what each value must be below (ids: the
            vocabulary's size). None is negative. On a GPU an id out of range
            would become NaN, so the host checks every batch.
        flags: by field name, the flag that sets its length; for messages.
        lengths: of each record without padding, where they are known.
        remake: makes other records, to which the rest applies, of some that
            follow one another, string [n] → string [m]; None: none.
        finish: changes a batch once it is parsed, by a seed and the number of
            each row, int64 [B]; None: nothing does.
    """

    files: Sequence[str]
    fields: Sequence[Field]
    limits: Mapping[str, int]
    flags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    lengths: Sequence[int] | None = None
    remake: Callable[[tf.Tensor], tf.Tensor] | None = None
    finish: Callable[[int, tf.Tensor, Batch], Batch] | None = None


def compressions(files: Sequence[str]) -> list[str]:
    """Returns the compression of each file, as tf.data names it: "" or "GZIP".

    A file's first bytes decide, whatever its name. A file that cannot be read
    is an error only when its records are read.
    """
    return ["GZIP" if _is_gzip(name) else "" for name in files]


def _is_gzip(path: str) -> bool:
    try:
        with file_bytes.reading(path) as file:
            head = file.read(12)
    except OSError:
        return False
    # A record may be as long as these bytes say; its checksum then follows.
    return head[:3] == _GZIP_MAGIC and not record_bytes.is_frame_head(head)


def serialized(
    files: Sequence[str], limit: int | None = None
) -> tf.data.Dataset:
    """Returns the records of files, plain or gzip, one file after the other.

    Args:
        files: their paths.
        limit: how many records of each there are to be at most; None: all.

    Yields:
        Serialized records, string [].
    """
    return tf.data.Dataset.from_tensor_slices(
        (list(files), compressions(files))
    ).flat_map(functools.partial(opened, limit=limit))


def opened(
    path: tf.Tensor, compression: tf.Tensor, limit: int | None = None
) -> tf.data.Dataset:
    """Returns the records of a file, once their lengths have been checked.

    Args:
        path: string [].
        compression: string [], as `compressions` gives it.
        limit: how many records there are to be at most; None: all.

    Yields:
        Serialized records, string []; or reading them raises
        tf.errors.InvalidArgumentError.
    """

    def checked(path: bytes, compression: bytes) -> bytes:
        name, kind = os.fsdecode(path), compression.decode()
        with contextlib.suppress(OSError):  # which TensorFlow meets, too
            size, time = file_bytes.size_and_time(name)
            bad = _first_impossible(name, kind, limit, size, time)
            if bad:
                raise ValueError(_damaged(name, bad))
        return path

    path = tf.numpy_function(checked, [path, compression], tf.string)
    path.set_shape([])
    return tf.data.TFRecordDataset(path, compression).take(
        -1 if limit is None else limit
    )


@functools.lru_cache(maxsize=2**14)
def _first_impossible(
    path: str, compression: str, limit: int | None, size: int, time: int
) -> int | None:
    """Looks at each file once, not in each epoch, unless it has changed."""
    return frame_lengths.first_impossible(path, compression, limit)


def num_records(source: RecordSource) -> int:
    """Returns how many records there are; reads them if that is not known."""
    if source.lengths is not None:
        return len(source.lengths)
    return count(serialized(source.files))


def count(records: tf.data.Dataset) -> int:
    """Returns how many there are, string [] each; reads them."""
    sizes = records.batch(4096).map(tf.size)
    return int(sizes.reduce(0, lambda total, size: total + size).numpy())


def check_records(
    source: RecordSource, limit: int | None = _CHECKED_RECORDS
) -> None:
    """Raises UserError for the first record that is not what it must be.

    Args:
        source: the records.
        limit: how many records of each file are read; None: all.
    """
    first = serialized(source.files, limit)
    count = 0
    try:
        for batch in parsed(first.batch(100), source):
            count += len(next(iter(batch.values())))
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        # Rare, so it may be slow: record by record, to name the bad one.
        for path in source.files:
            _check_each_record(path, source)
        raise UserError(
            "The records cannot be read, though each by itself is sound: "
            f"{one_line(error)}"
        ) from error
    if count == 0:
        raise UserError(
            f"Expected records. Received: {len(source.files)} files without "
            f"any, such as {source.files[0]}; create them again."
        )


def parsed(batches: tf.data.Dataset, source: RecordSource) -> tf.data.Dataset:
    """Returns batches of serialized records as batches of tensors.

    Args:
        batches: string [B].
        source: what is in them.
    """
    return mapped_ahead(
        without_autotune(batches), functools.partial(parse, source)
    )


def mapped_ahead(
    dataset: tf.data.Dataset, function: Callable
) -> tf.data.Dataset:
    """Returns `dataset.map(function)`, computed in parallel and in advance."""
    return dataset.map(
        function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    ).prefetch(tf.data.AUTOTUNE)


def parse(source: RecordSource, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
    """Parses a batch of records; features that are no field are left out.

    Args:
        source: what is in them.
        serialized: string [B].

    Returns:
        By field name, [B, *shape]: int32 where the file has int64 (as the
        original does for the TPU's sake), else float32.

    Raises:
        tf.errors.InvalidArgumentError: a record is no tf.train.Example, or a
            field is missing or of another length or type, or a value is out
            of its limits.
    """
    values = tf.io.parse_example(
        serialized,
        {
            field.name: tf.io.FixedLenFeature(field.shape, field.dtype)
            for field in source.fields
        },
    )
    for name, limit in source.limits.items():
        # Before the cast, which would wrap a large value round.
        in_range = (values[name] >= 0) & (values[name] < limit)
        tf.debugging.Assert(tf.reduce_all(in_range), [name])
    return {
        field.name: tf.cast(values[field.name], tf.int32)
        if field.dtype == "int64"
        else values[field.name]
        for field in source.fields
    }


def _check_each_record(path: str, source: RecordSource) -> None:
    number = 0
    (kind,) = compressions([path])
    bad = frame_lengths.first_impossible(path, kind)
    records = tf.data.TFRecordDataset(path, kind).take(bad - 1 if bad else -1)
    try:
        for number, record in enumerate(records, start=1):
            fault = _fault(record.numpy(), source)
            if fault:
                raise UserError(f"{path}, record {number}: {fault}")
    except tf.errors.DataLossError as error:
        raise UserError(_damaged(path, number + 1)) from error
    except tf.errors.OpError as error:
        raise UserError(
            f"{path} cannot be read: {one_line(error.message)}"
        ) from error
    if bad:
        raise UserError(_damaged(path, bad))


def _damaged(path: str, number: int) -> str:
    size = tf.io.gfile.stat(path).length
    return (
        f"{path}, record {number}: the file is truncated, corrupt or no "
        f"TFRecord file ({size} bytes); create it again."
    )


def _fault(record: bytes, source: RecordSource) -> str | None:
    """Returns what is wrong with one record, or None."""
    example = tf.train.Example()
    try:
        example.ParseFromString(record)
    except DecodeError:
        return "expected a tf.train.Example; create the file again."
    features = example.features.feature
    for field in source.fields:
        if field.name not in features:
            return (
                f"expected the feature {field.name}. Received: "
                f"{', '.join(sorted(features)) or 'none'}. Is it a file of "
                "another task?"
            )
        feature = features[field.name]
        kind = "float_list" if field.dtype == "float32" else "int64_list"
        values = getattr(feature, kind).value
        if feature.WhichOneof("kind") != kind or len(values) != field.length:
            return _length_fault(field, len(values), source.flags)
        limit = source.limits.get(field.name, math.inf)
        wrong = [v for v in values if not 0 <= v < limit]
        if field.name in source.limits and wrong:
            return (
                f"{field.name} must be from 0 to {limit - 1}. Received: "
                f"{wrong[0]}. Were the records made with another vocabulary "
                "or configuration than bert_config_file?"
            )
    return None


def _length_fault(field: Field, length: int, flags: Mapping[str, str]) -> str:
    flag = flags.get(field.name)
    if not flag or not length:
        return (
            f"{field.name} must be {field.length} {field.dtype} values. "
            f"Received: {length}."
        )
    return (
        f"{field.name} has {length} values, but --{flag} is {field.length}; "
        f"pass --{flag}={length} or create the records again."
    )


def explain(source: RecordSource, error: Exception) -> UserError:
    """Returns what in the files made reading them fail, as one line.

    Args:
        source: the records that were read.
        error: one of READ_ERRORS; it names no record.
    """
    logging.error("A record cannot be read; looking for it in all files.")
    try:
        check_records(source, limit=None)
    except UserError as fault:
        return fault
    names = ", ".join(os.path.basename(path) for path in source.files[:3])
    return UserError(
        f"Reading {names} failed, though every record is sound now: "
        f"{one_line(error)}"
    )
