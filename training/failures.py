"""Explains errors of too little memory in training."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence

import tensorflow as tf
from absl import logging

from bert.errors import UserError, one_line

# What TensorFlow, its allocators and XLA write when memory has run out. A full
# disk is a ResourceExhaustedError, too.
_OUT_OF_MEMORY = re.compile("(OOM when allocating|[Oo]ut of memory).*")


@contextlib.contextmanager
def explained(memory_advice: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Turns an error of too little memory into a UserError with advice.

    Args:
        memory_advice: returns what takes less memory, the first line of which
            goes into the error; the others are logged.
    """
    try:
        yield
    except (MemoryError, tf.errors.OpError) as error:
        tried = _OUT_OF_MEMORY.search(str(error))
        if not tried and not isinstance(error, MemoryError):
            raise
        what = one_line(tried[0], 80) if tried else "no more to be had"
        first, *others = memory_advice()
        for line in others:
            logging.warning("%s", line)
        raise UserError(f"Out of memory ({what}). {first}") from error
