"""All that is random in a model: its start weights and its dropout.

Both are pure functions of a seed, so a training run resumes without any state,
and a forward pass that is computed a second time (`tf.recompute_grad`) draws
the same masks. Only where a caller gives no seed, as Keras' `fit` does not, one
is drawn from a state (`DropoutSeeds`).
"""

import contextlib
import hashlib
import random
from collections.abc import Callable, Container, Iterator, Sequence
from contextvars import ContextVar

import keras
import numpy as np
import tensorflow as tf

from bert.modeling.export_mode import own_gradient

_not_drawn: ContextVar[Container[str]] = ContextVar("not_drawn", default=())


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
    return _zero_others(x, tf.reshape(data[:size], tf.shape(x)) >= cases)


def _zero_others(x: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """Returns x where it is kept, else 0.

    With a gradient of its own, which knows that the shapes are the same.
    """

    def chosen(x):
        if x.dtype != tf.float32 or tf.config.list_logical_devices("GPU"):
            return tf.where(kept, x, tf.zeros([], x.dtype))
        # The same bits in less than half the time, on a CPU. The dependency
        # keeps TensorFlow from using this mask, which takes four times as much
        # memory as that of booleans, in the backward pass again.
        with tf.control_dependencies([x]):
            mask = tf.cast(kept, x.dtype)
        return tf.math.multiply_no_nan(x, mask)

    return own_gradient(lambda x: (chosen(x), chosen))(x)


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


class DropoutSeeds:
    """The seeds of a model's dropout: a caller's, or else drawn ones.

    The state of the draws is a Keras seed generator. It is no attribute of a
    layer, among whose variables Keras would count it: checkpoints, optimizers
    and lists of names never have it.
    """

    def __init__(self) -> None:
        self._generator = keras.random.SeedGenerator()

    def seed(
        self, training: bool, seed: tf.Tensor | None, rates: Sequence[float]
    ) -> tf.Tensor | None:
        """Returns the seed of a forward pass, or None to drop nothing.

        Args:
            training: whether to drop.
            seed: int32 [2]; None: draw one.
            rates: the shares that will be dropped.
        """
        if not training or not any(rates):
            return None
        if seed is None:
            return self._draw()
        return tf.convert_to_tensor(seed, tf.int32)

    def _draw(self) -> tf.Tensor:
        seed = tf.cast(self._generator.next(), tf.int32)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return seed
        # Each replica has a copy of the state, and all draw the same.
        return tf.random.experimental.stateless_fold_in(
            seed, context.replica_id_in_sync_group
        )


@contextlib.contextmanager
def not_drawn(names: Container[str]) -> Iterator[None]:
    """Lets weights start at zero, whose values a checkpoint gives them next.

    To draw those of BERT-Base takes more than a second.

    Args:
        names: of weights in checkpoints; others are drawn.
    """
    token = _not_drawn.set(names)
    try:
        yield
    finally:
        _not_drawn.reset(token)


class WeightInitializer:
    """Draws start weights, each from its name.

    So a weight starts alike whatever was drawn before it and whatever head
    sits on the encoder.

    Args:
        stddev: standard deviation of the normal distribution that is drawn
            from; what is further than two of it from 0 is drawn again.
        seed: decides all weights; None for a fresh one, which Python's
            `random` draws (`keras.utils.set_random_seed` seeds that, too).
    """

    def __init__(self, stddev: float, seed: int | None):
        self.stddev = stddev
        self.seed = random.getrandbits(32) if seed is None else seed

    def __call__(self, name: str) -> Callable[..., tf.Tensor]:
        """Returns a Keras initializer for the weight of this name."""
        if name in _not_drawn.get():
            return tf.zeros
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        seed = np.frombuffer(digest[:8], "<i4")

        def initialize(shape: Sequence[int], dtype: str) -> tf.Tensor:
            return tf.random.stateless_truncated_normal(
                shape, seed, stddev=self.stddev, dtype=dtype
            )

        return initialize
