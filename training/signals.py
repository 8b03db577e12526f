"""Ctrl-C, SIGTERM and SIGHUP end a training after the step under way."""

import signal
from typing import Self


class Signals:
    """Notes signals that end a run, so that the step under way can be saved.

    A second Ctrl-C stops at once, without saving. SIGHUP, of a terminal that
    goes away, is left alone where it is ignored (nohup).

    Attributes:
        received: the signal, once one has come.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __enter__(self) -> Self:
        numbers = [signal.SIGINT, signal.SIGTERM]
        hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
        if hang_up and signal.getsignal(hang_up) != signal.SIG_IGN:
            numbers.append(hang_up)
        self._before = {
            number: signal.signal(number, self._note) for number in numbers
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: object) -> None:
        if self.received == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
