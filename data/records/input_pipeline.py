"""Record files → batches of tensors, in an order that is known in advance.

The order of training examples is a pure function of the seed and the files:
epoch e reads up to 256 files in turn, a record each (so the files that
create_pretraining_data.py filled in turn give its own order back), shuffled
with a seed made of (seed, e); of more files, which come first is drawn, too.
Fine-tuning draws each epoch's order from all records, which are in memory then.
A run that resumes skips the examples that it has seen, before they are parsed;
every worker reads the same order and takes its part of each batch.
"""

import functools
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from bert.data.records import length_sorting, record_files
from bert.data.records.fields import Field
from bert.data.records.record_files import RecordSource, num_records, parsed
from bert.data.records.without_autotune import without_autotune

# Files read in turn at the same time; with more, one that ends makes room.
_OPEN_FILES = 256
# Records that others are made of at a time (`RecordSource.remake`).
_REMADE = 1024
# Whatever the run's: an evaluation is the same at each step, and in each run.
_EVAL_SEED = 0


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
    """Returns the endless training batches, from where a run resumes.

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
            source, seed, shuffle_buffer_size, examples_seen
        )
    if source.finish:
        serialized = serialized.enumerate(examples_seen)
    serialized = serialized.batch(batch_size, drop_remainder=True)
    batches = _finished(
        _part_of_each(serialized, batch_size, context), source, seed
    )
    if cut:
        per_token = _per_token(source.fields)
        batches = record_files.mapped_ahead(
            batches, functools.partial(length_sorting.cut, per_token=per_token)
        )
    return batches


def eval_batches(
    source: RecordSource,
    batch_size: int,
    *,
    repeat: bool = False,
    drop_remainder: bool = False,
    limit: int | None = None,
) -> tf.data.Dataset:
    """Returns batches in file order, for evaluation and prediction.

    Args:
        source: the records; files are read one after the other.
        batch_size: rows of a batch.
        repeat: start again at the end, for ever.
        drop_remainder: leave out a last batch that is not full.
        limit: how many records of each file are read at most; None: all.
    """
    serialized = _remade(record_files.serialized(source.files, limit), source)
    if source.finish:
        serialized = serialized.enumerate()
    if repeat:
        serialized = serialized.repeat()
    batches = serialized.batch(batch_size, drop_remainder=drop_remainder)
    return _finished(batches, source, _EVAL_SEED)


def predict_batches(
    source: RecordSource,
    batch_size: int,
    *,
    fixed_shapes: bool = False,
    least_work: bool = False,
) -> tf.data.Dataset:
    """Returns each record once, in batches of like length.

    Args:
        source: the records; files are read one after the other.
        batch_size: rows of a batch.
        fixed_shapes: see `length_sorting`.
        least_work: see there.

    Yields:
        What `length_sorting.sorted_batches` does; `row` counts the records.
    """
    windows = parsed(
        record_files.serialized(source.files).batch(
            length_sorting.window_size(batch_size)
        ),
        source,
    )
    return length_sorting.sorted_batches(
        windows,
        batch_size,
        per_token=_per_token(source.fields),
        fixed_shapes=fixed_shapes,
        least_work=least_work,
    )


def _remade(
    serialized: tf.data.Dataset, source: RecordSource
) -> tf.data.Dataset:
    if source.remake is None:
        return serialized
    return serialized.batch(_REMADE).map(source.remake).unbatch()


def _finished(
    batches: tf.data.Dataset, source: RecordSource, seed: int
) -> tf.data.Dataset:
    """Returns batches parsed, and finished where there is something to."""
    finish = source.finish
    if finish is None:
        return parsed(batches, source)
    return record_files.mapped_ahead(
        without_autotune(batches),
        lambda numbers, serialized: finish(
            seed, numbers, record_files.parse(source, serialized)
        ),
    )


def _per_token(fields: Sequence[Field]) -> set[str]:
    return {field.name for field in fields if field.per_token}


def _training_order(
    source: RecordSource, seed: int, buffer_size: int, examples_seen: int
) -> tf.data.Dataset:
    """Returns the endless stream of serialized records, without those seen."""
    files = source.files
    all_names = tf.constant([list(files), record_files.compressions(files)])

    def in_turn(names: tf.Tensor) -> tf.data.Dataset:
        return _remade(_in_turn(names), source)

    first_epoch, position = 0, examples_seen
    if examples_seen:
        # One pass over the files, so that whole epochs are skipped unread.
        logging.info("Counting the records, to go on in their order")
        if source.remake is None:
            total = num_records(source)
        else:
            once = tf.data.Dataset.from_tensors(all_names).flat_map(in_turn)
            total = record_files.count(once)
        first_epoch, position = divmod(examples_seen, max(total, 1))

    def epoch_records(epoch: tf.Tensor) -> tf.data.Dataset:
        names = all_names
        if buffer_size == 1:
            return in_turn(names)
        if len(files) > _OPEN_FILES and source.remake is None:
            # Too many to be read at once: each epoch begins with others. Not
            # where they are remade: of another order there might come more or
            # fewer, and a run that goes on counts on as many in each epoch.
            order = tf.random.experimental.stateless_shuffle(
                tf.range(len(files)), [seed, epoch]
            )
            names = tf.gather(names, order, axis=1)
        epoch_seed = tf.random.stateless_uniform(
            [], [seed, epoch], maxval=2**31 - 1, dtype=tf.int64
        )
        return in_turn(names).shuffle(
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
    serialized = record_files.serialized(source.files)
    rows = serialized.batch(tf.int64.max).get_single_element()
    count = len(rows)
    if group_size:
        if source.lengths is not None and len(source.lengths) == count:
            lengths = tf.constant(source.lengths, tf.int32)
        else:
            lengths = _all_lengths(rows, source)

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
                # Rows that complete the last batch of the epoch before.
                first=tf.cast(-epoch * count % group_size, tf.int32),
                seed=epoch_seed,
            )
        return tf.data.Dataset.from_tensor_slices(indices)

    first_epoch, position = divmod(examples_seen, count)
    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    indices = epochs.flat_map(order).skip(position)
    return indices.map(lambda index: rows[index])


def _all_lengths(rows: tf.Tensor, source: RecordSource) -> tf.Tensor:
    """Returns each record's length without padding, int32 [records]."""
    serialized = tf.data.Dataset.from_tensor_slices(rows).batch(1024)
    lengths = parsed(serialized, source).map(
        lambda batch: length_sorting.lengths(batch["input_mask"])
    )
    return tf.concat(list(lengths), axis=0)


def _in_turn(names: tf.Tensor) -> tf.data.Dataset:
    """Returns one record of each file in turn, until all are read.

    Args:
        names: string [2, files]: the names, and how each is compressed.
    """
    num_files = names.shape[1]
    if num_files == 1:
        return record_files.opened(names[0, 0], names[1, 0])
    return tf.data.Dataset.from_tensor_slices((names[0], names[1])).interleave(
        record_files.opened,
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

    def part_of(*columns):  # records, and perhaps their numbers before them
        parts = tuple(column[start : start + part] for column in columns)
        return parts if len(parts) > 1 else parts[0]

    return (
        batches.map(part_of)
        .unbatch()
        .batch(batch_size // context.num_replicas_in_sync, drop_remainder=True)
    )
