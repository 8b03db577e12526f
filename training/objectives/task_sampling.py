"""Which task the next batch is of, where several are trained together.

The order is a pure function of the seed and of how many batches were drawn, so
that a run goes on as if it had not stopped. Imports without TensorFlow.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bert.errors import UserError

# The exponents of the tasks' sizes, by the values of --task_sampling; annealed
# ones fall from epoch to epoch (Stickland and Murray 2019, "BERT and PALs").
EXPONENTS = {"proportional": 1.0, "uniform": 0.0, "sqrt": 0.5, "annealed": 1.0}
_ANNEALED_BY = 0.8

_MOST = 1e30  # a weight that float32 can multiply with
_BITS = 53  # of a float64 below 1


class TaskOrder:
    """The order in which tasks take their turns.

    Args:
        sizes: of each task, its examples to train on.
        sampling: one of `EXPONENTS`: a task's share of the batches is in
            proportion to its size raised to this.
        num_epochs: passes over all examples; may be a fraction.
        num_steps: steps in them.
        seed: decides the order.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        sampling: str,
        num_epochs: float,
        num_steps: int,
        seed: int,
    ):
        import numpy as np

        # Not as they are listed: a run that goes on may list them otherwise.
        self._names = sorted(sizes)
        self._epochs = max(math.ceil(num_epochs), 1)
        self._num_steps = num_steps
        self._seed = seed
        shares = [
            np.asarray([sizes[name] for name in self._names], np.float64)
            ** self._exponent(sampling, epoch)
            for epoch in range(self._epochs)
        ]
        self._bounds = np.asarray([np.cumsum(s) / np.sum(s) for s in shares])

    def _exponent(self, sampling: str, epoch: int) -> float:
        """Returns the exponent in an epoch, counted from 0."""
        fall = _ANNEALED_BY if sampling == "annealed" else 0.0
        return EXPONENTS[sampling] - fall * epoch / max(self._epochs - 1, 1)

    def drawn(self, first: int, number: int) -> list[str]:
        """Returns the tasks of some batches.

        Args:
            first: how many batches were drawn before.
            number: how many there are to be.
        """
        return [self._names[i] for i in self._indices(first, number)]

    def counts(self, number: int) -> dict[str, int]:
        """Returns how many of the first batches are each task's."""
        import numpy as np

        counts = np.bincount(
            self._indices(0, number), minlength=len(self._names)
        )
        return dict(zip(self._names, map(int, counts), strict=True))

    def _indices(self, first: int, number: int):
        import numpy as np

        # Their raw bits are the same in all versions of NumPy.
        bits = np.random.Philox(key=self._seed).random_raw(first + number)
        chances = (bits[first:] >> np.uint64(64 - _BITS)) / 2.0**_BITS
        draws = np.arange(first, first + number)
        epochs = draws * self._epochs // self._num_steps
        # A step that float16 skips takes another batch.
        bounds = self._bounds[np.minimum(epochs, self._epochs - 1)]
        return np.minimum(
            (chances[:, None] >= bounds).sum(axis=1), len(self._names) - 1
        )


class Slope(NamedTuple):
    """A weight that changes with the steps, along a line.

    Attributes:
        start: at step 0.
        end: at the last step.
    """

    start: float
    end: float


def read_weights(text: str | None, tasks: Sequence[str]) -> dict[str, Slope]:
    """Returns what the losses of tasks are multiplied by.

    Args:
        text: the value of --task_weights, such as "mlm:1>0.1,mrpc:2"; None:
            all are 1.
        tasks: their names.

    Raises:
        UserError: it is not such a text, names another task, or leaves nothing
            to learn; or there is one task, which has nothing beside it.
    """
    weights = dict.fromkeys(tasks, Slope(1.0, 1.0))
    named = set()
    for part in text.split(",") if text else ():
        name, colon, value = part.strip().rpartition(":")
        start, _, end = value.partition(">")
        try:
            slope = Slope(float(start), float(end or start))
        except ValueError:
            slope = Slope(math.nan, math.nan)
        is_weight = all(0 <= x <= _MOST for x in slope)
        if not colon or not is_weight or (">" in value and not end):
            raise UserError(
                "--task_weights must be NAME:WEIGHT or NAME:FIRST>LAST, "
                "separated by commas, with weights from 0 to 1e30. Received: "
                f"{part[:60]!r}."
            )
        if name not in weights or name in named:
            fault = "twice" if name in named else "which is none of them"
            raise UserError(
                f"--task_weights: expected names of tasks ({', '.join(tasks)}"
                f"), each once. Received: {name[:60]!r}, {fault}."
            )
        named.add(name)
        weights[name] = slope
    if text and len(tasks) == 1:
        raise UserError(
            f"--task_weights is for several tasks. Received: {text[:60]!r} for "
            f"{tasks[0]} alone; leave it out."
        )
    if not any(map(any, weights.values())):
        raise UserError(
            "--task_weights: expected a weight above 0 for a task or more. "
            f"Received: {text!r}, with which nothing is learned."
        )
    return weights


def weights_text(weights: Mapping[str, Slope]) -> str:
    """Returns a text that `read_weights` reads: one for the same weights."""
    return ",".join(
        f"{name}:{start}>{end}"
        for name, (start, end) in sorted(weights.items())
        if (start, end) != (1, 1)
    )
