"""Rows of several texts, none of which sees another one.

    [CLS] a [SEP] b [SEP] [CLS] c [SEP] d [SEP] 0 0
    0                     7                          text_starts, zeros behind
    0     1 2     3 4     0     1 2     3 4          positions

Letters of shapes: B batch, S sequence, D hidden, T texts of a row at most.

Source: Krell et al. 2021, section 3.2.
"""

import tensorflow as tf


def positions_and_mask(
    text_starts: tf.Tensor, input_mask: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns each token's place in its text, and which ones it may look at.

    Only together are they the texts' own rows: with one alone, a text would
    depend on the others.

    Args:
        text_starts: int [B, T], where each text begins, ascending; 0 behind
            the last one.
        input_mask: int [B, S], 0 for padding.

    Returns:
        int32 [B, S], and int32 [B, S, S], 1 where the first token may look at
        the second.
    """
    places = tf.range(tf.shape(input_mask)[1])
    starts = tf.expand_dims(tf.cast(text_starts, tf.int32), 2)
    # Where the text of each token begins: the last start that is not behind
    # it. Two tokens are of the same text where that is equal.
    own = tf.reduce_max(tf.where(starts <= places, starts, 0), axis=1)
    same = tf.expand_dims(own, 2) == tf.expand_dims(own, 1)
    mask = tf.cast(same, tf.int32) * tf.cast(
        tf.expand_dims(input_mask, 1), tf.int32
    )
    return places - own, mask


def firsts(
    hidden: tf.Tensor, text_starts: tf.Tensor, are_chosen: bool
) -> tf.Tensor:
    """Returns the vectors of the texts' first tokens, as rows of one token.

    Args:
        hidden: float [B, F, D].
        text_starts: int [B, T].
        are_chosen: whether hidden begins with them; else it has all tokens.

    Returns:
        float [B * T, 1, D].
    """
    if are_chosen:
        found = hidden[:, : tf.shape(text_starts)[1]]
    else:
        found = tf.gather(hidden, text_starts, batch_dims=1)
    return tf.reshape(found, [-1, 1, hidden.shape[-1]])


def text_weights(text_starts: tf.Tensor) -> tf.Tensor:
    """Returns 1 for each text, 0 where a row has fewer: float32 [B * T]."""
    is_first = tf.range(tf.shape(text_starts)[1]) == 0
    return tf.reshape(tf.cast((text_starts > 0) | is_first, tf.float32), [-1])
