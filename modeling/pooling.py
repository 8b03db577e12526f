"""The tokens' vectors of a row → one vector.

Letters of shapes: B batch, L layers, S sequence, D hidden. All take `values`,
float32 [B, L, S, D], and `mask`, int [B, S], 1 for real tokens, and return
float32 [B, L, D].
"""

from collections.abc import Callable

import tensorflow as tf


def cls_vector(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the first token's vector, which is that of [CLS]."""
    return values[:, :, 0]


def mean_vector(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the mean of the real tokens' vectors; 0 where there is none."""
    weights = tf.cast(mask, values.dtype)[:, None, :, None]
    return tf.math.divide_no_nan(
        tf.reduce_sum(values * weights, axis=2), tf.reduce_sum(weights, axis=2)
    )


def max_vector(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the largest of the real tokens' numbers at each of D places."""
    # LiteRT cannot convert mask[:, None, :, None].
    is_real = tf.expand_dims(tf.expand_dims(mask, 1), -1) > 0
    return tf.reduce_max(tf.where(is_real, values, values.dtype.min), axis=2)


# By the values of the flag --pooling.
POOLINGS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "cls": cls_vector,
    "mean": mean_vector,
    "max": max_vector,
}
