"""Losses of the tasks: pure functions of logits and labels, in float32."""

import tensorflow as tf

# Keeps the masked-LM loss finite where a batch has no masked position.
MASKED_LM_EPSILON = 1e-5


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns minus the log-probability of each row's label.

    Args:
        logits: float [n, classes].
        labels: int with n entries in all, each 0 to classes - 1. Another one
            is an error on a CPU and NaN on a GPU.

    Returns:
        float32 [n].
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.reshape(labels, [-1]), logits=tf.cast(logits, tf.float32)
    )


def span_cross_entropy(
    start_logits: tf.Tensor,
    end_logits: tf.Tensor,
    start_positions: tf.Tensor,
    end_positions: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Returns the mean of the start's and the end's cross-entropy.

    Both are over all S positions, padding too, unless there is a mask. A
    position outside of the sequence is an error here (see `cross_entropy`),
    where the original would count it as a loss of 0: the data's windows never
    hold one, so it means that records and flags do not fit.

    Args:
        start_logits: float [B, S].
        end_logits: float [B, S].
        start_positions: int with B entries.
        end_positions: int with B entries.
        mask: int [B, S], 1 for a position that counts; None: all do.

    Returns:
        float32 [B].
    """
    if mask is not None:
        is_there = tf.cast(mask, tf.bool)
        start_logits, end_logits = (
            tf.where(is_there, logits, logits.dtype.min)
            for logits in (start_logits, end_logits)
        )
    return 0.5 * (
        cross_entropy(start_logits, start_positions)
        + cross_entropy(end_logits, end_positions)
    )


def squared_error(values: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns the square of each value's distance from its label.

    Args:
        values: float with n entries in all.
        labels: float with n entries in all.

    Returns:
        float32 [n].
    """
    values = tf.cast(tf.reshape(values, [-1]), tf.float32)
    return tf.square(values - tf.cast(tf.reshape(labels, [-1]), tf.float32))


def sigmoid_cross_entropy(
    logits: tf.Tensor, labels: tf.Tensor, label_weights: tf.Tensor
) -> tf.Tensor:
    """Returns the mean over the labels of each one's own cross-entropy.

    Args:
        logits: float [n, L].
        labels: int [n, L], 1 for the labels that a row has.
        label_weights: float [L]: what a label counts where a row has it.

    Returns:
        float32 [n].
    """
    losses = tf.nn.weighted_cross_entropy_with_logits(
        labels=tf.cast(labels, tf.float32),
        logits=tf.cast(logits, tf.float32),
        pos_weight=label_weights,
    )
    return tf.reduce_mean(losses, axis=-1)
