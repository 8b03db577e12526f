"""Record files → batches of tensors, in an order that can be told in advance.

The order of training examples is a pure function of the seed and the files:
epoch e reads up to 256 files in turn, a record each (so the files that
create_pretraining_data.py filled in turn give its own order back), shuffled
with a seed made of (seed, e); of more files, which come first is drawn, too.
A run that resumes skips the examples that it has seen, before they are parsed;
every worker reads the same order and takes its part of each batch.
"""

import dataclasses
import functools
import math
import os
from collections.abc import Mapping, Sequence

import tensorflow as tf
from absl import logging
from google.protobuf.message import DecodeError

from data import length_sorting, records
from errors import UserError

# Files read in turn at the same time; with more, one that ends makes room.
_OPEN_FILES = 256
_CHECKED_RECORDS = 1000
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
        limits: for integer features, the value that all of theirs are below
            (ids: the vocabulary's size). None is negative. On a GPU an id out
            of range would become NaN, so the host looks at every batch.
        flags: by field name, the flag that sets its length; for messages.
    """

    files: Sequence[str]
    fields: Sequence[records.Field]
    limits: Mapping[str, int]
    flags: Mapping[str, str] = dataclasses.field(default_factory=dict)


def matching_files(patterns: str, flag: str) -> list[str]:
    """Returns the files that comma-separated glob patterns match.

    Each pattern's files come sorted by name (the original takes the order of
    the file system); patterns keep their order.

    Args:
        patterns: such as "part-*.tfrecord,extra.tfrecord".
        flag: where they come from; for messages.

    Raises:
        UserError: a pattern matches no file, or matches a folder.
    """
    files: list[str] = []
    for pattern in patterns.split(","):
        found = sorted(tf.io.gfile.glob(pattern)) if pattern else []
        if not found:
            raise UserError(
                f"No file matches --{flag}. Expected paths or glob patterns, "
                f"separated by commas. Received: {pattern!r}."
            )
        folders = [name for name in found if tf.io.gfile.isdir(name)]
        if folders:
            raise UserError(
                f"--{flag} names a folder where files are expected: "
                f"{folders[0]}; write {folders[0].rstrip('/')}/*."
            )
        files += found
    return files


def train_batches(
    source: RecordSource,
    batch_size: int,
    *,
    seed: int,
    shuffle_buffer_size: int | None,
    examples_seen: int = 0,
    context: tf.distribute.InputContext | None = None,
    cut: bool = False,
    group: bool = False,
) -> tf.data.Dataset:
    """Returns the endless training batches, from where a run stands.

    Args:
        source: the records.
        batch_size: rows of a global batch, over all workers and devices.
        seed: decides the order, together with the epoch.
        shuffle_buffer_size: how many records one is drawn from; 1 keeps the
            files' order. None: from all of them, which are in memory then.
        examples_seen: rows that the run has trained on already.
        context: which part of each global batch to give; None: all of it.
        cut: leave out the padding that all rows of a batch have in common.
        group: bring rows of like length together (`length_sorting.group`);
            only where all records are drawn from.

    Yields:
        A dict of int32 and float32 [rows, length] tensors by field name.
    """
    if shuffle_buffer_size is None:
        serialized = _shuffled(
            source, seed, examples_seen, batch_size if group else None
        )
    else:
        serialized = _training_order(
            source.files, seed, shuffle_buffer_size, examples_seen
        )
    serialized = serialized.batch(batch_size, drop_remainder=True)
    batches = _parsed(_part_of_each(serialized, batch_size, context), source)
    if cut:
        batches = batches.map(
            functools.partial(
                length_sorting.cut, per_token=_per_token(source.fields)
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        ).prefetch(tf.data.AUTOTUNE)
    return batches


def eval_batches(
    source: RecordSource,
    batch_size: int,
    *,
    repeat: bool = False,
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Returns batches in file order, for evaluation and prediction.

    Args:
        source: the records; files are read one after the other.
        batch_size: rows of a batch.
        repeat: start again at the end, for ever.
        drop_remainder: leave out a last batch that is not full.
    """
    serialized = tf.data.TFRecordDataset(list(source.files))
    if repeat:
        serialized = serialized.repeat()
    return _parsed(
        serialized.batch(batch_size, drop_remainder=drop_remainder), source
    )


def predict_batches(
    source: RecordSource, batch_size: int, *, fixed_shapes: bool = False
) -> tf.data.Dataset:
    """Returns each record once, in batches of like length.

    Args:
        source: the records; files are read one after the other.
        batch_size: rows of a batch.
        fixed_shapes: see `length_sorting`.

    Yields:
        What `length_sorting.sorted_batches` does; `row` counts the records.
    """
    windows = _parsed(
        tf.data.TFRecordDataset(list(source.files)).batch(
            length_sorting.window_size(batch_size)
        ),
        source,
    )
    return length_sorting.sorted_batches(
        windows,
        batch_size,
        per_token=_per_token(source.fields),
        fixed_shapes=fixed_shapes,
    )


def num_records(files: Sequence[str]) -> int:
    """Returns how many records the files have."""
    sizes = tf.data.TFRecordDataset(list(files)).batch(4096).map(tf.size)
    return int(sizes.reduce(0, lambda total, size: total + size).numpy())


def check_records(
    source: RecordSource, limit: int | None = _CHECKED_RECORDS
) -> None:
    """Raises UserError for the first record that is not what it must be.

    Args:
        source: the records.
        limit: how many records of each file are read; None: all.
    """
    first_of_each = tf.data.Dataset.from_tensor_slices(
        list(source.files)
    ).flat_map(
        lambda name: tf.data.TFRecordDataset(name).take(
            -1 if limit is None else limit
        )
    )
    count = 0
    try:
        for batch in _parsed(first_of_each.batch(100), source):
            count += len(next(iter(batch.values())))
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        # Rare, so slow: once more, record by record, to name the one.
        for path in source.files:
            _check_each_record(path, source)
        raise UserError(
            "The records cannot be read, though each by itself is sound: "
            f"{' '.join(str(error).split())}"
        ) from error
    if count == 0:
        raise UserError(
            f"Expected records. Received: {len(source.files)} files without "
            f"any, such as {source.files[0]}; create them again."
        )


def _per_token(fields: Sequence[records.Field]) -> set[str]:
    return {field.name for field in fields if field.per_token}


def _training_order(
    files: Sequence[str], seed: int, buffer_size: int, examples_seen: int
) -> tf.data.Dataset:
    """Returns the endless stream of serialized records, less those seen."""
    first_epoch, position = 0, examples_seen
    if examples_seen:
        # One pass over the files' frames, so that whole epochs need none.
        logging.info("Counting the records, to go on in their order")
        first_epoch, position = divmod(
            examples_seen, max(num_records(files), 1)
        )

    def epoch_records(epoch: tf.Tensor) -> tf.data.Dataset:
        names = tf.constant(list(files))
        if buffer_size == 1:
            return _in_turn(names)
        if len(files) > _OPEN_FILES:
            # Too many to be read all at once: other ones first each time.
            names = tf.random.experimental.stateless_shuffle(
                names, [seed, epoch]
            )
        epoch_seed = tf.random.stateless_uniform(
            [], [seed, epoch], maxval=2**31 - 1, dtype=tf.int64
        )
        return _in_turn(names).shuffle(
            buffer_size, seed=epoch_seed, reshuffle_each_iteration=False
        )

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    return epochs.flat_map(epoch_records).skip(position)


def _shuffled(
    source: RecordSource,
    seed: int,
    examples_seen: int,
    group_size: int | None,
) -> tf.data.Dataset:
    """Returns the endless stream of all records, each epoch in a new order.

    Args:
        source: the records; they are read into memory.
        seed: decides the order, together with the epoch.
        examples_seen: how many to leave out.
        group_size: rows of the batches that are to have rows of like length;
            None: any rows.
    """
    serialized = tf.data.TFRecordDataset(list(source.files))
    count = num_records(source.files)
    rows = serialized.batch(count).get_single_element()
    if group_size:
        lengths = _all_lengths(source)

    def order(epoch: tf.Tensor) -> tf.data.Dataset:
        epoch_seed = tf.stack([tf.constant(seed, tf.int64), epoch])
        indices = tf.random.experimental.stateless_shuffle(
            tf.range(count), epoch_seed
        )
        if group_size:
            indices = length_sorting.group(
                indices,
                tf.gather(lengths, indices),
                group_size,
                # What the batch that the last epoch began still takes.
                first=tf.cast(-epoch * count % group_size, tf.int32),
                seed=epoch_seed,
            )
        return tf.data.Dataset.from_tensor_slices(indices)

    first_epoch, position = divmod(examples_seen, count)
    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    indices = epochs.flat_map(order).skip(position)
    return indices.map(lambda index: rows[index])


def _all_lengths(source: RecordSource) -> tf.Tensor:
    """Returns each record's length without padding, int32 [records]."""
    serialized = tf.data.TFRecordDataset(list(source.files)).batch(1024)
    lengths = _parsed(serialized, source).map(
        lambda batch: length_sorting.lengths(batch["input_mask"])
    )
    return tf.concat(list(lengths), axis=0)


def _in_turn(names: tf.Tensor) -> tf.data.Dataset:
    """Returns one record of each file in turn, until all are read."""
    num_files = names.shape[0]
    if num_files == 1:
        return tf.data.TFRecordDataset(names)
    return tf.data.Dataset.from_tensor_slices(names).interleave(
        tf.data.TFRecordDataset,
        cycle_length=min(num_files, _OPEN_FILES),
        block_length=1,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _part_of_each(
    batches: tf.data.Dataset,
    batch_size: int,
    context: tf.distribute.InputContext | None,
) -> tf.data.Dataset:
    """Returns a worker's part of each batch, cut for its replicas."""
    if context is None or context.num_replicas_in_sync == 1:
        return batches
    workers = context.num_input_pipelines
    part = batch_size // workers
    start = context.input_pipeline_id * part
    return (
        batches.map(lambda batch: batch[start : start + part])
        .unbatch()
        .batch(batch_size // context.num_replicas_in_sync, drop_remainder=True)
    )


def _parsed(batches: tf.data.Dataset, source: RecordSource) -> tf.data.Dataset:
    return batches.map(
        lambda batch: records.parse(source.fields, batch, source.limits),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    ).prefetch(tf.data.AUTOTUNE)


def _check_each_record(path: str, source: RecordSource) -> None:
    number = 0
    try:
        for number, serialized in enumerate(
            tf.data.TFRecordDataset(path), start=1
        ):
            fault = _fault(serialized.numpy(), source)
            if fault:
                raise UserError(f"{path}, record {number}: {fault}")
    except tf.errors.DataLossError as error:
        size = tf.io.gfile.stat(path).length
        raise UserError(
            f"{path}, record {number + 1}: the file is truncated, corrupt or "
            f"no TFRecord file ({size} bytes); create it again."
        ) from error
    except tf.errors.OpError as error:
        raise UserError(
            f"{path} cannot be read: {' '.join(error.message.split())}"
        ) from error


def _fault(serialized: bytes, source: RecordSource) -> str | None:
    """Returns what is wrong with one record, or None."""
    example = tf.train.Example()
    try:
        example.ParseFromString(serialized)
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


def _length_fault(
    field: records.Field, length: int, flags: Mapping[str, str]
) -> str:
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
        f"{' '.join(str(error).split())}"
    )
