"""Export mode: how layers compute in graphs that are saved and served."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager

import tensorflow as tf

from bert.modeling.context_flag import ContextFlag

_FLAG = ContextFlag("export_mode")


def export_mode() -> AbstractContextManager[None]:
    """Makes layers trace graphs that are saved, or answer short inputs.

    The numbers are the same to rounding. Custom gradients are left out, as
    they make a SavedModel of 12 layers take seconds longer to load and save.
    Each kernel has a product of its own: with few tokens, concatenating the
    kernels takes longer than it saves.
    """
    return _FLAG.set()


def in_export_mode() -> bool:
    """Returns whether `export_mode` is on."""
    return _FLAG.is_on()


def own_gradient(function: Callable) -> Callable:
    """Gives a function of tensors the gradient that it returns beside.

    As tf.custom_gradient does, but not in export mode: there TensorFlow
    derives the gradient.
    """
    with_gradient = tf.custom_gradient(function)

    @functools.wraps(function)
    def call(*tensors: tf.Tensor) -> tf.Tensor:
        if in_export_mode():
            return function(*tensors)[0]
        return with_gradient(*tensors)

    return call
