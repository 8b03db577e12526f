"""Explains errors of too little memory in training."""

import contextlib
import re
from collections.abc import Callable, Iterator

import tensorflow as tf

from bert.errors import UserError

# What TensorFlow, its allocators and XLA write when memory has run out. A full
# disk is a ResourceExhaustedError, too.
_OUT_OF_MEMORY = re.compile("(OOM when allocating|[Oo]ut of memory).*")


@contextlib.contextmanager
def explained(memory_advice: Callable[[], str]) -> Iterator[None]:
    """Turns an error of too little memory into a UserError with advice.

    Args:
        memory_advice: returns what takes less memory.
    """
    try:
        yield
    except (MemoryError, tf.errors.OpError) as error:
        tried = _OUT_OF_MEMORY.search(str(error))
        if not tried and not isinstance(error, MemoryError):
            raise
        what = tried[0].strip()[:120] if tried else "no more to be had"
        raise UserError(f"Out of memory ({what}). {memory_advice()}") from error
