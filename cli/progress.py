"""How far a job is: live on a terminal, plain lines in a log."""

import sys
import time
from typing import Self

from absl import logging


class Progress:
    """Shows the count, the rate and the time left of a job.

    On a terminal one live line (rich, which Keras brings), on anything else a
    log line every `log_seconds`. Use it as a context manager.

    Args:
        total: units of the whole job; None where nobody knows.
        unit: what is counted, such as "records".
        start: units done before, by an earlier run.
        log_seconds: seconds between plain lines; None: the caller logs
            itself (`line`).
        compiles: whether TensorFlow compiles before the first update. That is
            no part of the rate, which is shown from the second on.
    """

    def __init__(
        self,
        total: int | None,
        unit: str,
        *,
        start: int = 0,
        log_seconds: float | None = 10.0,
        compiles: bool = False,
    ):
        self._total = total
        self._unit = unit
        self._first = self._done = start
        self._log_seconds = log_seconds
        self._fields = ""
        self._measured = 0.0
        self._compiles = compiles
        self._begun = self._shown = time.monotonic()
        self._live: _LiveLine | None = None

    def __enter__(self) -> Self:
        self._begun = self._shown = time.monotonic()
        if sys.stderr and sys.stderr.isatty():  # None: it is closed
            self._live = _LiveLine()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.close(self.line())
            self._live = None

    def update(self, count: int, **fields: float) -> None:
        """Counts units as done; costs next to nothing when nothing is shown.

        Args:
            count: units done since the last call.
            **fields: figures to show beside, such as loss=2.31; they stay
                until they are given again.
        """
        self._done += count
        if fields:
            self._fields = "".join(f", {k} {v:.4g}" for k, v in fields.items())
        now = time.monotonic()
        if self._compiles:
            self._compiles = False
            self._first, self._begun = self._done, now
        if self._live:
            if now - self._shown >= 0.1:
                self._shown = now
                self._live.show(self.line())
        elif (
            self._log_seconds is not None
            and now - self._shown >= self._log_seconds
        ):
            self._shown = now
            logging.info("%s", self.line(), extra={"fields": self.fields()})

    def set_rate(self, per_second: float) -> None:
        """Shows this rate, which the caller has measured, from here on."""
        self._measured = per_second

    def line(self, figures: bool = True) -> str:
        """Returns, say, `step 300/1,500, loss 7.2, 11/s, 1:49 left`.

        Args:
            figures: whether to have those of `update` in it.
        """
        of_total = f"/{self._total:,}" if self._total is not None else ""
        text = f"{self._unit} {self._done:,}{of_total}"
        if figures:
            text += self._fields
        rate, left = self._rate(), self._seconds_left()
        if rate:
            text += f", {rate:,.0f}/s" if rate >= 10 else f", {rate:.2g}/s"
        if left is not None:
            text += f", {_clock(left)} left"
        return text

    def fields(self) -> dict[str, object]:
        """Returns the figures of the line, for a log that has fields."""
        return {
            "unit": self._unit,
            "done": self._done,
            "total": self._total,
            "per_second": self._rate() or None,
            "seconds_left": self._seconds_left(),
        }

    def _rate(self) -> float:
        """Returns the units per second; 0 where that is not known."""
        if self._measured:
            return self._measured
        seconds = max(time.monotonic() - self._begun, 1e-9)
        return (self._done - self._first) / seconds

    def _seconds_left(self) -> float | None:
        rate = self._rate()
        if self._total is None or not rate:
            return None
        return (self._total - self._done) / rate


class _LiveLine:
    """One line at the bottom of a terminal; log lines scroll above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            # Soft: a log line must stay one line, to be copied and searched.
            console=Console(stderr=True, soft_wrap=True),
            refresh_per_second=10,
            transient=True,
        )
        self._live.start()
        # rich has put its own stream in sys.stderr's place, which keeps log
        # lines off the live line; absl's handler must write there too.
        self._handler = logging.get_absl_handler().python_handler
        self._stream = self._handler.stream
        self._handler.stream = sys.stderr

    def show(self, text: str) -> None:
        self._live.update(text)

    def close(self, text: str) -> None:
        self._handler.stream = self._stream
        self._live.stop()
        print(text, file=sys.stderr)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}"
