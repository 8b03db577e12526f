"""Ctrl-C and SIGTERM end a training after the step under way."""

import signal
from typing import Self


class Signals:
    """Notes Ctrl-C and SIGTERM, so that the step under way can be saved.

    A second Ctrl-C stops at once, without saving.

    Attributes:
        received: the signal, once one has come.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __enter__(self) -> Self:
        self._before = {
            number: signal.signal(number, self._note)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: object) -> None:
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
