"""Attention probabilities of all layers, kept where someone asks for them.

They stay out of what layers return: in training nobody wants them, and they
are the largest tensors there are.
"""

import contextlib
import contextvars
from collections.abc import Iterator

import tensorflow as tf

_KEPT: contextvars.ContextVar[list[tf.Tensor] | None] = contextvars.ContextVar(
    "attention_probs", default=None
)


@contextlib.contextmanager
def keeping(is_on: bool = True) -> Iterator[list[tf.Tensor]]:
    """Keeps the probabilities of the layers that are called in a block.

    Args:
        is_on: if not, nothing is kept.

    Yields:
        What `keep` was given so far, in the order of the calls.
    """
    kept: list[tf.Tensor] = []
    token = _KEPT.set(kept if is_on else None)
    try:
        yield kept
    finally:
        _KEPT.reset(token)


def are_kept() -> bool:
    """Returns whether someone asks for them."""
    return _KEPT.get() is not None


def keep(probs: tf.Tensor) -> None:
    """Keeps a layer's probabilities, float32 [B, N, F, T], if wanted."""
    kept = _KEPT.get()
    if kept is not None:
        kept.append(probs)
