"""Several files of one model: how large, fast and good each one is."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bert.evaluation import compression

Arrays = Mapping[str, np.ndarray]
Model = Callable[[Arrays], Arrays]

_INPUTS = ("input_ids", "input_mask", "segment_ids")
_WARM_UP_CALLS = 3
_TIMED_CALLS = 31


class Figures(NamedTuple):
    """What is measured of one model.

    Attributes:
        name: the model's.
        bytes: its size.
        milliseconds: what one row takes, the median of 31 calls.
        accuracy: see `compression.measure`.
        difference: the largest of any output from the first model's; see
            `compression.difference`.
    """

    name: str
    bytes: int
    milliseconds: float
    accuracy: float
    difference: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is measured of all models.

    Attributes:
        measure: what `accuracy` is.
        rows: how many rows it is of.
        tokens: length of the row of `milliseconds`.
        figures: of each model; the first one is what the others are held
            against.
    """

    measure: str
    rows: int
    tokens: int
    figures: Sequence[Figures]

    def to_dict(self) -> dict[str, object]:
        """Returns all as what JSON knows."""
        figures = [one._asdict() for one in self.figures]
        return {**dataclasses.asdict(self), "figures": figures}

    def table(self) -> str:
        """Returns all as a Markdown table."""
        first = self.figures[0]
        lines = [
            f"| model | MB | ms, {self.tokens} tokens | {self.measure}, "
            f"{self.rows} rows | largest difference |",
            "|---|---|---|---|---|",
        ]
        for one in self.figures:
            size = f"{one.bytes / 1e6:.1f} ({one.bytes / first.bytes:.0%})"
            share = one.milliseconds / first.milliseconds
            change = ""
            if one is not first:
                change = f" ({one.accuracy - first.accuracy:+.4f})"
            lines.append(
                f"| {one.name} | {size} | {one.milliseconds:.1f} ({share:.0%})"
                f" | {one.accuracy:.4f}{change} | {one.difference:.1e} |"
            )
        return "\n".join(lines) + "\n"


def compare(
    task: str,
    kind: str | None,
    models: Mapping[str, Model],
    sizes: Mapping[str, int],
    batches: Sequence[Arrays],
) -> Comparison:
    """Runs models over the same rows.

    Args:
        task: one of `model_folder.task_files.TASKS`.
        kind: of classification; else None.
        models: by name; functions of int32 [B, S]. The first one is what the
            others are held against.
        sizes: their bytes, by name.
        batches: of each row what the models take, and its labels where the
            task has some; the rows sorted by length.
    """
    inputs = [{name: batch[name] for name in _INPUTS} for batch in batches]
    answers: dict[str, list[np.ndarray]] = {name: [] for name in models}
    differences = dict.fromkeys(models, 0.0)
    original = next(iter(models))
    for batch, given in zip(batches, inputs, strict=True):
        outputs = {name: model(given) for name, model in models.items()}
        for name, own in outputs.items():
            answers[name].append(compression.answers(task, own, batch))
            distance = compression.difference(
                task, own, outputs[original], batch
            )
            # Unlike max(), it keeps nan.
            differences[name] = float(np.maximum(differences[name], distance))
    found = {name: np.concatenate(values) for name, values in answers.items()}
    expected = found[original]
    if compression.has_labels(task):
        labels = [compression.labels(task, batch) for batch in batches]
        expected = np.concatenate(labels)
    one = middle_row(inputs)
    times = latencies(models, one)
    figures = [
        Figures(
            name,
            sizes[name],
            times[name],
            compression.quality(task, kind, found[name], expected),
            differences[name],
        )
        for name in models
    ]
    rows = sum(len(given["input_ids"]) for given in inputs)
    length = one["input_ids"].shape[1]
    return Comparison(compression.measure(task, kind), rows, length, figures)


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
