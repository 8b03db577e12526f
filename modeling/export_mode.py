"""The form that layers take in graphs which leave this code."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator

import tensorflow as tf

_is_on = contextvars.ContextVar("portable", default=False)


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """Within it layers make graphs to be saved, or to answer short inputs.

    The same numbers to rounding, but no gradients of our own, with which a
    SavedModel of 12 layers takes seconds longer to load and save; and a
    product for each kernel, as joining kernels takes longer than it saves
    where there are few tokens.
    """
    token = _is_on.set(True)
    try:
        yield
    finally:
        _is_on.reset(token)


def is_portable() -> bool:
    """Returns whether `portable` is in force."""
    return _is_on.get()


def own_gradient(function: Callable) -> Callable:
    """Makes a function of tensors have the gradient that it returns beside.

    As tf.custom_gradient does, but for portable graphs: there TensorFlow
    derives it.
    """
    with_gradient = tf.custom_gradient(function)

    @functools.wraps(function)
    def call(*tensors: tf.Tensor) -> tf.Tensor:
        if is_portable():
            return function(*tensors)[0]
        return with_gradient(*tensors)

    return call
