"""A mode that is on within a `with` block, for all that is called there."""

import contextlib
import contextvars
from collections.abc import Iterator


class ContextFlag:
    """A bool that holds within a `with` block, in this thread.

    Args:
        name: for debugging.
    """

    def __init__(self, name: str):
        self._value = contextvars.ContextVar(name, default=False)

    def is_on(self) -> bool:
        """Returns the value of the innermost block; False outside of any."""
        return self._value.get()

    @contextlib.contextmanager
    def set(self, is_on: bool = True) -> Iterator[None]:
        """Sets the value within a block."""
        token = self._value.set(is_on)
        try:
            yield
        finally:
            self._value.reset(token)
