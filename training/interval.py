"""The figures of the steps between two log lines."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class BadStep(NamedTuple):
    """The first step of an interval whose figures are not finite.

    Attributes:
        step: its number, counted from 1.
        figures: its figures by name.
    """

    step: int
    figures: dict[str, float]


def all_finite(figures: Mapping[str, float | tf.Tensor]) -> bool:
    """Returns whether no figure is infinite or NaN."""
    return bool(np.isfinite(list(figures.values())).all())


class Interval:
    """Means of the steps' figures, and the pace, since the last log line.

    Args:
        step: the updates done so far.
    """

    def __init__(self, step: int):
        self._restart(step)

    def add(self, figures: Mapping[str, tf.Tensor]) -> None:
        """Counts steps.

        Args:
            figures: of each step, float32 [steps] by name.
        """
        # They stay on the device: reading one would wait for the steps.
        self._figures.append(figures)

    def start_clock(self, step: int) -> None:
        """Counts the pace from here on: what came before was set-up."""
        self._timed_from = step
        self._start = time.perf_counter()

    def leave_out(self, seconds: float) -> None:
        """Leaves out time that was not spent on training."""
        self._start += seconds

    def means(self) -> dict[str, float]:
        """Returns the mean of each figure over the steps that have it."""
        values: dict[str, list[np.ndarray]] = {}
        for figures in self._figures:
            for name, value in figures.items():
                values.setdefault(name, []).extend(value.numpy())
        return {name: float(np.mean(values[name])) for name in values}

    def first_not_finite(self) -> BadStep | None:
        """Returns the first step whose figures are not all finite."""
        if all_finite(self.means()):
            return None
        number = self._first_step
        for figures in self._figures:
            for row in zip(*(v.numpy() for v in figures.values()), strict=True):
                number += 1
                values = dict(zip(figures, map(float, row), strict=True))
                if not all_finite(values):
                    return BadStep(number, values)
        return None

    def finish(self, step: int) -> tuple[dict[str, float], float | None]:
        """Returns the means and the steps per second, and starts anew.

        The pace is None where all steps were set-up.
        """
        means = self.means()
        seconds = time.perf_counter() - self._start
        timed = step - self._timed_from
        pace = timed / max(seconds, 1e-9) if timed else None
        self._restart(step)
        return means, pace

    def _restart(self, step: int) -> None:
        self._figures: list[Mapping[str, tf.Tensor]] = []
        self._first_step = step
        self.start_clock(step)
