"""Out of memory in training: what to say, instead of TensorFlow's error."""

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf

from bert.errors import UserError

# What TensorFlow, its allocators and XLA write when memory has run out. A full
# disk is a ResourceExhaustedError, too.
_OUT_OF_MEMORY = ("OOM when allocating", "Out of memory", "out of memory")


@contextlib.contextmanager
def explained(memory_advice: Callable[[], str]) -> Iterator[None]:
    """Turns an error of too little memory into a UserError with advice.

    Args:
        memory_advice: returns what takes less memory.
    """
    try:
        yield
    except (MemoryError, tf.errors.OpError) as error:
        text = str(error)
        if isinstance(error, MemoryError) or any(
            words in text for words in _OUT_OF_MEMORY
        ):
            raise UserError(
                f"Out of memory ({_tried(text)}). {memory_advice()}"
            ) from error
        raise


def _tried(text: str) -> str:
    """Returns the part of an error's text that says what was asked for."""
    for line in text.splitlines():
        for words in _OUT_OF_MEMORY:
            if words in line:
                return line[line.index(words) :].strip()[:120]
    return "no more to be had"
