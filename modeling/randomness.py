"""All that is random in a model: its start weights and its dropout.

Both are pure functions of a seed. Nothing here has a state, so a training run
resumes without any, and a forward pass that is computed a second time
(`tf.recompute_grad`) draws the same masks.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf


def dropout(x: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Sets a random share of entries to 0 and scales the others up.

    Args:
        x: float, any shape.
        rate: share dropped, 0 to `config.MAX_DROPOUT` (not the share kept).
        seed: int32 [2], which decides the mask; None to drop nothing.

    Returns:
        Like x: 0 with probability `rate`, else x / (1 - rate).

    Source: Srivastava et al. 2014.
    """
    if seed is None or rate == 0.0:
        return x
    return drop(x * kept_scale(rate, seed), rate, seed)


def kept_scale(rate: float, seed: tf.Tensor | None) -> float:
    """Returns what `dropout` scales by; 1.0 where it drops nothing.

    For a caller who scales something smaller than what is dropped from.
    """
    return 1.0 if seed is None else 1.0 / (1.0 - rate)


def drop(x: tf.Tensor, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Like `dropout`, without the scale."""
    if seed is None or rate == 0.0:
        return x
    # Drawing bits takes longer than anything else here, so an entry gets eight
    # of them. They decide between 256 cases, of which rate * 256, rarely a
    # whole number, are to be dropped: 25.6 becomes 25 or 26, drawn anew at
    # every call so that an entry's chance is `rate`.
    #
    # Whole numbers, not floats: XLA makes other floats of the same bits, so a
    # compiled model would draw other masks.
    size = tf.size(x)
    bits = tf.random.stateless_uniform(
        [(size + 3) // 4 + 1], seed, minval=None, maxval=None, dtype=tf.int32
    )
    # Bytes from here on: int32 is worked on in the host's memory, even where
    # it was drawn on a GPU. The first ones are the entries', as a part from
    # the first on is no copy.
    data = tf.reshape(tf.bitcast(bits, tf.uint8), [-1])
    cases, share_of_more = divmod(round(rate * 2**24), 2**16)
    draws_more = tf.bitcast(data[-4:-2], tf.uint16) > 2**16 - 1 - share_of_more
    cases = tf.cast(cases, tf.uint8) + tf.cast(draws_more, tf.uint8)
    kept = tf.reshape(data[:size], tf.shape(x)) >= cases
    # where, not a product: only the mask of booleans is kept for backward.
    return tf.where(kept, x, tf.zeros([], x.dtype))


def split_seed(
    seed: tf.Tensor | None, count: int
) -> Sequence[tf.Tensor | None]:
    """Derives `count` seeds from one; use i for the i-th place that drops.

    One draw of 62 * count bits from the seed's own stream gives them all.
    Adding the number of the place to the seed instead would be no cheaper,
    and place 1 of seed (s, 0) would share its masks with place 0 of (s, 1):
    callers number replicas in just this way.

    Args:
        seed: int32 [2], or None.
        count: how many.

    Returns:
        int32 [2] each, none negative; all None if the seed is None.
    """
    if seed is None:
        return [None] * count
    seeds = tf.random.split(_without_sign(seed), count)
    return tf.unstack(_without_sign(seeds))


def _without_sign(seed: tf.Tensor) -> tf.Tensor:
    # From a negative seed, XLA draws other numbers than TensorFlow's kernels.
    return tf.bitwise.bitwise_and(seed, tf.int32.max)


def dropout_seed(
    training: bool, seed: tf.Tensor | None, rates: Sequence[float]
) -> tf.Tensor | None:
    """Returns the seed of a forward pass's dropout, or None to drop nothing.

    Args:
        training: whether to drop.
        seed: int32 [2], or None.
        rates: the shares that will be dropped.

    Raises:
        ValueError: something is to be dropped, but there is no seed.
    """
    if not training or not any(rates):
        return None
    if seed is None:
        raise ValueError(
            "A model with dropout needs a seed in training: two int32 that "
            "differ from step to step. Received: training=True, seed=None."
        )
    return tf.convert_to_tensor(seed, tf.int32)


class WeightInitializer:
    """Draws start weights, each from its name.

    So a weight starts alike whatever was drawn before it and whatever head
    sits on the encoder.

    Args:
        stddev: standard deviation of the normal distribution that is drawn
            from; what is further than two of it from 0 is drawn again.
        seed: decides all weights; None for a fresh one.
    """

    def __init__(self, stddev: float, seed: int | None):
        self.stddev = stddev
        self.seed = secrets.randbits(32) if seed is None else seed

    def __call__(self, name: str) -> Callable[..., tf.Tensor]:
        """Returns a Keras initializer for the weight of this name."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        seed = np.frombuffer(digest[:8], "<i4")

        def initialize(shape: Sequence[int], dtype: str) -> tf.Tensor:
            return tf.random.stateless_truncated_normal(
                shape, seed, stddev=self.stddev, dtype=dtype
            )

        return initialize
