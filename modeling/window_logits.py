"""Logits of a text from those of its windows.

Letters of shapes: B batch, W windows of a text, S sequence, L labels, n windows
in all that are computed.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from bert.modeling.task_model import Batch


def is_there(input_mask: tf.Tensor) -> tf.Tensor:
    """Returns which windows there are, bool [B, W].

    A text always has its first one, be it of padding alone, as in rows that
    only fill up a batch.

    Args:
        input_mask: int [B, W, S].
    """
    there = tf.reduce_any(input_mask != 0, axis=-1)
    return tf.concat([tf.ones_like(there[:, :1]), there[:, 1:]], axis=1)


def of_texts(
    batch: Mapping[str, tf.Tensor],
    there: tf.Tensor,
    logits_of: Callable[[Batch], tf.Tensor],
) -> tf.Tensor:
    """Returns the logits of each window, float32 [B, W, L].

    Only those that there are get computed; the others' are 0. But where all
    shapes are known, as on a TPU, every place is computed.

    Args:
        batch: what a model takes, int [B, W, S] each.
        there: of `is_there`.
        logits_of: windows [n, S] → [n, L].
    """
    shape = tf.shape(there)
    if batch["input_ids"].shape.is_fully_defined():
        length = batch["input_ids"].shape[-1]
        logits = logits_of(
            {k: tf.reshape(v, [-1, length]) for k, v in batch.items()}
        )
        return tf.reshape(logits, tf.concat([shape, tf.shape(logits)[1:]], 0))
    places = tf.where(there)
    logits = logits_of({k: tf.gather_nd(v, places) for k, v in batch.items()})
    return tf.scatter_nd(
        tf.cast(places, tf.int32),
        logits,
        tf.concat([shape, tf.shape(logits)[1:]], 0),
    )


def mean(logits: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    """Returns the means over the windows that there are, float32 [B, L].

    Args:
        logits: float32 [B, W, L].
        there: bool [B, W].
    """
    weights = tf.cast(there, logits.dtype)[:, :, None]
    return tf.reduce_sum(logits * weights, 1) / tf.reduce_sum(weights, 1)


def maximum(logits: tf.Tensor, there: tf.Tensor) -> tf.Tensor:
    """Returns the largest ones; arguments and result as of `mean`."""
    lowest = logits.dtype.min
    return tf.reduce_max(tf.where(there[:, :, None], logits, lowest), 1)


# By the values of the flag --window_pooling.
POOLINGS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "mean": mean,
    "max": maximum,
}
