"""Weights that do not change any more, once a graph is made of a model."""

from contextlib import AbstractContextManager

from bert.modeling.context_flag import ContextFlag

_FLAG = ContextFlag("fixed_weights")


def fixed_weights() -> AbstractContextManager[None]:
    """Makes graphs whose kernels are joined, scaled and cast once for all.

    Not each time that a batch is computed; a weight that changes later has no
    effect on them. Without gradients.
    """
    return _FLAG.set()


def are_weights_fixed() -> bool:
    """Returns whether `fixed_weights` is on."""
    return _FLAG.is_on()
