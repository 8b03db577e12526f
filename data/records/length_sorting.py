"""No work on padding: rows of like length together, cut to the longest.

Rows that are sorted come back in their order by `file_order`.
"""

import functools
from collections.abc import Collection, Mapping

import tensorflow as tf

from bert.data.records import batch_cuts, equal_rows

# Rows that are sorted together; they are in memory at once.
_WINDOW_ROWS = 8192
# Batches of training rows that are sorted together: few enough that a batch is
# still a fair sample of the rows of its length.
_GROUP_BATCHES = 50


def sorted_batches(
    windows: tf.data.Dataset,
    batch_size: int,
    *,
    per_token: Collection[str],
    fixed_shapes: bool = False,
    least_work: bool = False,
) -> tf.data.Dataset:
    """Sorts the rows of each window by length and cuts batches from them.

    A batch is as wide as its longest row. `file_order` undoes the sorting.

    Args:
        windows: dicts of tensors [rows, ...], `input_mask` among them.
        batch_size: rows of a batch at most.
        per_token: names of the tensors [rows, ..., S] that are cut.
        fixed_shapes: give every batch batch_size rows of S tokens, as a TPU
            needs it: nothing is sorted or cut, and rows of zeros, with `row`
            -1, fill the last batch of a window up.
        least_work: give rows of a window that are equal in all tensors once,
            and end batches where padding would cost more (`batch_cuts`); not
            with fixed_shapes.

    Yields:
        The windows' tensors, [B, ...], and `row`: which row of all windows
        each one is, from 0. int64 [B]; or, of equal rows, [B, K], where -1
        fills up those that are fewer than K.
    """

    def number(first, window):
        rows = tf.shape(window["input_mask"], tf.int64)[0]
        return first + rows, (window, first + tf.range(rows))

    def batches_of(window, numbers):
        if fixed_shapes:
            return _filled_up(window, numbers, batch_size)
        return _sorted(window, numbers, batch_size, per_token, least_work)

    # The longest rows come first: where they fit into memory, all do.
    return (
        windows.scan(tf.constant(0, tf.int64), number)
        .flat_map(batches_of)
        .prefetch(tf.data.AUTOTUNE)
    )


def _sorted(
    window: Mapping[str, tf.Tensor],
    numbers: tf.Tensor,
    batch_size: int,
    per_token: Collection[str],
    least_work: bool,
) -> tf.data.Dataset:
    """Returns the batches of a window, whose rows have these numbers."""
    kept = tf.range(tf.size(numbers))
    if least_work:
        kept, numbers = _once(window, numbers)
    sizes = tf.gather(lengths(window["input_mask"]), kept)
    order = tf.argsort(sizes, stable=True, direction="DESCENDING")
    rows = tf.gather(kept, order)
    window = {k: tf.gather(v, rows) for k, v in window.items()}
    window["row"] = tf.gather(numbers, order)

    def batch_at(start, end):
        batch = {k: v[start:end] for k, v in window.items()}
        if least_work:
            batch["row"] = batch["row"].to_tensor(-1)
        return cut(batch, per_token)

    starts_of = batch_cuts.starts if least_work else batch_cuts.full
    starts = tf.numpy_function(
        functools.partial(starts_of, batch_size=batch_size),
        [tf.gather(sizes, order)],
        tf.int64,
    )
    starts.set_shape([None])
    return tf.data.Dataset.from_tensor_slices((starts[:-1], starts[1:])).map(
        batch_at
    )


def _once(
    window: Mapping[str, tf.Tensor], numbers: tf.Tensor
) -> tuple[tf.Tensor, tf.RaggedTensor]:
    """Finds the rows that are equal in all tensors.

    Args:
        window: tensors [N, ...].
        numbers: int64 [N], of the rows.

    Returns:
        Of D distinct rows where the first of equal ones stands, int32 [D]; and
        the numbers of all that are equal to it, [D, (K)].
    """
    which = tf.numpy_function(
        equal_rows.numbers, list(window.values()), tf.int32
    )
    which.set_shape([None])
    order = tf.argsort(which, stable=True)
    groups = tf.RaggedTensor.from_value_rowids(order, tf.gather(which, order))
    return tf.gather(order, groups.row_starts()), tf.gather(numbers, groups)


def group(
    indices: tf.Tensor,
    lengths: tf.Tensor,
    batch_size: int,
    first: tf.Tensor,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Brings rows of like length into the same batches of an epoch.

    Sorted are only rows that lie within 50 batches of one another; then the
    batches are put in a random order. Rows of a batch that also has rows of
    the epoch before or after stay where they are, so each row comes once an
    epoch.

    Args:
        indices: int [N], the epoch's rows in random order.
        lengths: int [N], the rows' lengths.
        batch_size: rows of a batch.
        first: int scalar, how many rows complete the batch that the epoch
            before has begun.
        seed: int [2], decides the order of the batches.

    Returns:
        The indices in their new order.
    """
    count = tf.shape(indices)[0]
    first = tf.minimum(first, count)
    num_batches = (count - first) // batch_size
    end = first + num_batches * batch_size
    window = tf.range(end - first) // (batch_size * _GROUP_BATCHES)
    longest = tf.reduce_max(lengths) + 1
    order = tf.argsort(window * longest + lengths[first:end], stable=True)
    batches = tf.reshape(
        tf.gather(indices[first:end], order), [num_batches, batch_size]
    )
    batches = tf.random.experimental.stateless_shuffle(batches, seed)
    return tf.concat(
        [indices[:first], tf.reshape(batches, [-1]), indices[end:]], axis=0
    )


def window_size(batch_size: int) -> int:
    """Returns how many rows are sorted together: whole batches, some 8,000."""
    return batch_size * max(1, _WINDOW_ROWS // batch_size)


def lengths(mask: tf.Tensor) -> tf.Tensor:
    """Returns the number of positions up to the last 1 of each row.

    Args:
        mask: int [B, S], or [B, n, S] of several sequences a row: then of the
            longest.

    Returns:
        int32 [B].
    """
    positions = tf.range(1, tf.shape(mask)[-1] + 1)
    return tf.reduce_max(
        tf.cast(mask != 0, tf.int32) * positions,
        axis=tf.range(1, tf.rank(mask)),
    )


def cut(
    batch: Mapping[str, tf.Tensor], per_token: Collection[str]
) -> dict[str, tf.Tensor]:
    """Leaves out the padding that all rows of a batch have in common.

    Args:
        batch: tensors [B, ...], `input_mask` among them.
        per_token: names of the tensors [B, ..., S] that are cut.
    """
    width = tf.maximum(tf.reduce_max(lengths(batch["input_mask"])), 1)
    return {
        name: values[..., :width] if name in per_token else values
        for name, values in batch.items()
    }


def _filled_up(
    window: Mapping[str, tf.Tensor], numbers: tf.Tensor, batch_size: int
) -> tf.data.Dataset:
    """Returns the batches of a window, all of one shape; see `_sorted`."""
    rows = tf.data.Dataset.from_tensor_slices({**window, "row": numbers})
    return rows.batch(batch_size).map(lambda batch: _fill_up(batch, batch_size))


def _fill_up(
    batch: Mapping[str, tf.Tensor], batch_size: int
) -> dict[str, tf.Tensor]:
    missing = batch_size - tf.shape(batch["row"])[0]
    filled = {}
    for name, values in batch.items():
        paddings = [[0, missing]] + [[0, 0]] * (len(values.shape) - 1)
        filled[name] = tf.ensure_shape(
            tf.pad(
                values, paddings, constant_values=-1 if name == "row" else 0
            ),
            [batch_size, *values.shape[1:]],
        )
    return filled
