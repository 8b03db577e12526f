"""Several files of one model: how large, fast and good each one is."""

import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

import numpy as np

from bert.tasks.spec import INPUTS

Arrays = Mapping[str, np.ndarray]
Model = Callable[[Arrays], Arrays]

_WARM_UP_CALLS = 3
_TIMED_CALLS = 31
_TIMED_BATCHES = 16


class Judge(Protocol):
    """How good outputs of a task are; `tasks.inference.Inference` is one."""

    measure: ClassVar[str]
    token_outputs: ClassVar[tuple[str, ...]]

    def labels_of(self, batch: Arrays) -> np.ndarray | None:
        """Returns the predictions that would be right, if records say it."""

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns what is predicted for a batch, [n, ...]."""

    def quality(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Returns how good the predictions of all batches are, 1 at best."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """What is measured of one model.

    Attributes:
        name: the model's.
        bytes: its size.
        milliseconds: what one row takes, the median of 31 calls.
        rows_per_second: in batches, once their shapes are known.
        accuracy: what `Judge.quality` returns.
        difference: the largest of any output from the first model's; see
            `difference`.
    """

    name: str
    bytes: int
    milliseconds: float
    rows_per_second: float
    accuracy: float
    difference: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is measured of all models.

    Attributes:
        measure: the name of `accuracy`.
        rows: how many rows it is of.
        tokens: length of the row of `milliseconds`.
        figures: of each model; the others are compared with the first one.
    """

    measure: str
    rows: int
    tokens: int
    figures: Sequence[Figures]

    def to_dict(self) -> dict[str, object]:
        """Returns all as what JSON knows."""
        return dataclasses.asdict(self)

    def table(self) -> str:
        """Returns all as a Markdown table."""
        first = self.figures[0]
        lines = [
            f"| model | MB | ms, {self.tokens} tokens | rows/s | "
            f"{self.measure}, {self.rows} rows | largest difference |",
            "|---|---|---|---|---|---|",
        ]
        for one in self.figures:
            size = f"{one.bytes / 1e6:.1f} ({one.bytes / first.bytes:.0%})"
            share = one.milliseconds / first.milliseconds
            pace = one.rows_per_second / first.rows_per_second
            change = ""
            if one is not first:
                change = f" ({one.accuracy - first.accuracy:+.4f})"
            lines.append(
                f"| {one.name} | {size} | {one.milliseconds:.1f} ({share:.0%})"
                f" | {one.rows_per_second:.0f} ({pace:.0%})"
                f" | {one.accuracy:.4f}{change} | {one.difference:.1e} |"
            )
        return "\n".join(lines) + "\n"


def compare(
    judge: Judge,
    models: Mapping[str, Model],
    sizes: Mapping[str, int],
    batches: Sequence[Arrays],
) -> Comparison:
    """Runs models over the same rows.

    Args:
        judge: the task's.
        models: by name; functions of int32 [B, S]. The others are compared
            with the first one. Where records have no labels, its predictions
            count as right, and its own figure is 1.
        sizes: their bytes, by name.
        batches: of each row what the models take, and its labels where the
            task has some; the rows sorted by length.
    """
    inputs = [{name: batch[name] for name in INPUTS} for batch in batches]
    predictions: dict[str, list[np.ndarray]] = {name: [] for name in models}
    differences = dict.fromkeys(models, 0.0)
    original = next(iter(models))
    for batch, given in zip(batches, inputs, strict=True):
        outputs = {name: model(given) for name, model in models.items()}
        for name, own in outputs.items():
            predictions[name].append(judge.predictions(own, batch))
            distance = difference(
                own, outputs[original], batch, judge.token_outputs
            )
            # Unlike max(), it keeps nan.
            differences[name] = float(np.maximum(differences[name], distance))
    found = {name: np.concatenate(own) for name, own in predictions.items()}
    labels = [judge.labels_of(batch) for batch in batches]
    known = [own for own in labels if own is not None]
    expected = np.concatenate(known) if known else found[original]
    one = middle_row(inputs)
    times = latencies(models, one)
    paces = rates(models, inputs)
    rows = row_count(batches)
    sequences = sum(len(given["input_ids"]) for given in inputs)
    figures = [
        Figures(
            name,
            sizes[name],
            times[name],
            paces[name] * rows / sequences,
            judge.quality(found[name], expected),
            differences[name],
        )
        for name in models
    ]
    length = one["input_ids"].shape[1]
    return Comparison(judge.measure, rows, length, figures)


def row_count(batches: Sequence[Arrays]) -> int:
    """Returns how many rows there are.

    Where a row has several sequences, as a question has choices, a batch has
    more of these.
    """
    return sum(min(map(len, batch.values())) for batch in batches)


def difference(
    found: Arrays, expected: Arrays, batch: Arrays, token_outputs: Sequence[str]
) -> float:
    """Returns the largest difference of any output from the original model's.

    Args:
        found: the outputs of a batch.
        expected: those of the original model.
        batch: `input_mask` [B, S]; padding is left out.
        token_outputs: the outputs that are [B, S, ...].

    Returns:
        Relative to the largest number of that output, or to 1 if that is
        larger; nan where a number is not finite. Ids are left out.
    """
    largest = 0.0
    is_token = batch["input_mask"] == 1
    for name, own in found.items():
        other = expected[name]
        if own.dtype.kind != "f":
            continue
        if name in token_outputs:
            own, other = own[is_token], other[is_token]
        if not np.all(np.isfinite(own)):
            return float("nan")
        scale = max(1.0, float(np.max(np.abs(other))))
        largest = max(largest, float(np.max(np.abs(own - other))) / scale)
    return largest


def middle_row(inputs: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Returns a row of middle length without its padding, [1, S].

    Args:
        inputs: batches whose rows are sorted by length.
    """
    batch = inputs[len(inputs) // 2]
    lengths = batch["input_mask"].sum(axis=1)
    row = int(lengths.argsort()[len(lengths) // 2])
    length = max(1, int(lengths[row]))
    return {
        name: np.ascontiguousarray(values[row : row + 1, :length])
        for name, values in batch.items()
    }


def rates(
    models: Mapping[str, Model], inputs: Sequence[Arrays]
) -> dict[str, float]:
    """Returns how many sequences a second models compute, once warm.

    Args:
        models: by name; they take turns. They had these batches before: some
            prepare themselves for each new shape.
        inputs: batches; some of them, of all lengths, are timed.
    """
    timed = inputs[:: math.ceil(len(inputs) / _TIMED_BATCHES)]
    seconds = dict.fromkeys(models, 0.0)
    for batch in timed:
        for name, model in models.items():
            start = time.perf_counter()
            model(batch)
            seconds[name] += time.perf_counter() - start
    sequences = sum(len(batch["input_ids"]) for batch in timed)
    return {name: sequences / spent for name, spent in seconds.items()}


def latencies(models: Mapping[str, Model], inputs: Arrays) -> dict[str, float]:
    """Returns how long models take for the same inputs, once they are warm.

    Args:
        models: by name; they take turns, so that what else the machine does
            slows all of them down.
        inputs: what they are called with.

    Returns:
        By name, the median in milliseconds.
    """
    times: dict[str, list[float]] = {name: [] for name in models}
    for call in range(_WARM_UP_CALLS + _TIMED_CALLS):
        for name, model in models.items():
            start = time.perf_counter()
            model(inputs)
            if call >= _WARM_UP_CALLS:
                times[name].append(time.perf_counter() - start)
    return {name: 1e3 * statistics.median(own) for name, own in times.items()}
