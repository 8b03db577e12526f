"""Features, in memory or in a file → an Estimator's `input_fn`.

`input_fn(params)` returns a tf.data.Dataset of batches of params["batch_size"].
TensorFlow is imported when the batches are made.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bert.tasks.spec import INPUTS

if TYPE_CHECKING:
    import tensorflow as tf

InputFn = Callable[[Mapping[str, Any]], "tf.data.Dataset"]

# The original's.
_SHUFFLE_BUFFER = 100


def of_features(
    columns: Mapping[str, Sequence],
    is_training: bool = False,
    drop_remainder: bool = False,
) -> InputFn:
    """Returns the `input_fn` of features in memory.

    Args:
        columns: by name, what each row has: a number, or a list of them.
        is_training: whether rows are drawn from 100 without end; else they
            come once, in order.
        drop_remainder: whether a last batch that is short is left out.
    """

    def input_fn(params: Mapping[str, Any]) -> "tf.data.Dataset":
        import tensorflow as tf

        rows = tf.data.Dataset.from_tensor_slices(
            {
                name: tf.constant(column, tf.int32)
                for name, column in columns.items()
            }
        )
        return _in_order(rows, is_training).batch(
            params["batch_size"], drop_remainder
        )

    return input_fn


def of_file(
    input_file: str | Sequence[str],
    seq_length: int,
    numbers: Sequence[str],
    is_training: bool,
    drop_remainder: bool,
) -> InputFn:
    """Returns the `input_fn` of a file of records.

    Args:
        input_file: TFRecords of int64 features.
        seq_length: how many numbers the `INPUTS` have.
        numbers: the features that are one number each.
        is_training: see `of_features`.
        drop_remainder: see `of_features`.
    """

    def input_fn(params: Mapping[str, Any]) -> "tf.data.Dataset":
        import tensorflow as tf

        features = {
            name: tf.io.FixedLenFeature([seq_length], tf.int64)
            for name in INPUTS
        } | {name: tf.io.FixedLenFeature([], tf.int64) for name in numbers}

        def parse(serialized: "tf.Tensor") -> "dict[str, tf.Tensor]":
            values = tf.io.parse_example(serialized, features)
            return {k: tf.cast(v, tf.int32) for k, v in values.items()}

        records = tf.data.TFRecordDataset(input_file)
        batches = _in_order(records, is_training).batch(
            params["batch_size"], drop_remainder
        )
        return batches.map(parse)

    return input_fn


def _in_order(rows: "tf.data.Dataset", is_training: bool) -> "tf.data.Dataset":
    return rows.repeat().shuffle(_SHUFFLE_BUFFER) if is_training else rows
