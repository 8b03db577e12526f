"""The report on a dev set of run_classifier.py: its figures, kind by kind.

`report_pages` makes HTML of them. Letters: n rows, L labels.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bert.errors import UserError
from bert.evaluation import bins, calibration, classes, thresholds
from bert.tasks.classification import report_pages
from bert.tasks.classification.kinds import Kind
from bert.tasks.classification.processors import InputExample
from bert.tasks.reports import Report, shortened

# Rows that are shown.
_WORST = 50
# Labels up to which the whole confusion matrix is kept.
_MOST_IN_MATRIX = 200
# Points of a scatter plot.
_MOST_POINTS = 2000
# Bars of a histogram.
_NUM_BARS = 25

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Judged:
    """A dev set, and what the model says of it.

    Attributes:
        examples: n of them.
        labels: what the outputs are called; none where they have no names.
        logits: float32 [n, L].
        label_ids: as in the records, [n, ...].
        loss: float32 [n].
        lengths: n numbers of pieces, as the model saw them.
    """

    examples: Sequence[InputExample]
    labels: Sequence[str]
    logits: np.ndarray
    label_ids: np.ndarray
    loss: np.ndarray
    lengths: Sequence[int]

    def by_length(self, **values: np.ndarray) -> list[Row]:
        """Returns the means of values [n] in bins of like length."""
        return bins.by_quantile(np.asarray(self.lengths), values)

    def rows(self, facts: Callable[[int], Row]) -> Iterator[Row]:
        """Yields each row: its id, its texts, and facts about it."""
        for number, example in enumerate(self.examples):
            yield {**_texts(example), **facts(number)}

    def worst(
        self, badness: np.ndarray, facts: Callable[[int], Row]
    ) -> list[Row]:
        """Returns the rows with the most of something, texts shortened."""
        order = np.argsort(-badness, kind="stable")[:_WORST].tolist()
        return [
            {**shortened(_texts(self.examples[row])), **facts(row)}
            for row in order
        ]


def make(kind: Kind, judged: Judged) -> Report:
    """Returns the report on a dev set.

    Raises:
        UserError: the model's outputs are not numbers.
    """
    if not np.isfinite(judged.logits).all():
        raise UserError(
            "the model's outputs are not numbers; was it trained to a finite "
            "loss?"
        )
    return _OF_KINDS[kind.name](judged, np.asarray(kind.values(judged.logits)))


def single_label(judged: Judged, probabilities: np.ndarray) -> Report:
    """Returns the report where each row has one label."""
    labels = judged.labels
    gold = judged.label_ids.reshape(-1)
    predicted = judged.logits.argmax(axis=-1)
    rows = np.arange(len(gold))
    of_gold, sure = probabilities[rows, gold], probabilities[rows, predicted]
    right = gold == predicted
    numbers = np.arange(len(labels))
    matrix = classes.confusion(gold, predicted, len(labels))
    frequent = int(matrix.sum(axis=1).argmax())

    def facts(row: int) -> Row:
        return {
            "gold": labels[gold[row]],
            "prediction": labels[predicted[row]],
            "probability": sure[row],
            "probability_of_gold": of_gold[row],
        }

    def all_facts(row: int) -> Row:
        named = dict(zip(labels, probabilities[row], strict=True))
        return {**facts(row), "probabilities": named}

    figures = {
        **_right(right),
        "most_frequent": {
            "label": labels[frequent],
            "rows": matrix[frequent].sum(),
        },
        "labels": labels,
        "classes": classes.per_class(
            gold[:, None] == numbers, predicted[:, None] == numbers
        ),
        "confused": classes.confused(matrix),
        "confusion": matrix if len(labels) <= _MOST_IN_MATRIX else None,
        "calibration": calibration.calibration(sure, right),
        "by_length": judged.by_length(accuracy=right, probability=sure),
        "worst": judged.worst(-of_gold, facts),
    }
    return Report(figures, judged.rows(all_facts), report_pages.single_label)


def multi_label(judged: Judged, probabilities: np.ndarray) -> Report:
    """Returns the report where each row has any number of labels."""
    labels = np.array(judged.labels, object)
    gold, predicted = judged.label_ids.astype(bool), judged.logits >= 0
    wrong = gold != predicted
    right = ~wrong.any(axis=1)
    # Labels are taken for independent of one another, as the loss does.
    of_gold = np.where(gold, probabilities, 1 - probabilities).prod(axis=1)
    sure = np.maximum(probabilities, 1 - probabilities).prod(axis=1)
    sets, counts = np.unique(gold, axis=0, return_counts=True)
    frequent = counts.argmax()

    def facts(row: int) -> Row:
        either = gold[row] | predicted[row]
        return {
            "gold": labels[gold[row]].tolist(),
            "prediction": labels[predicted[row]].tolist(),
            "probability": sure[row],
            "probability_of_gold": of_gold[row],
            "probabilities": dict(
                zip(labels[either], probabilities[row, either], strict=True)
            ),
        }

    def all_facts(row: int) -> Row:
        named = dict(zip(judged.labels, probabilities[row], strict=True))
        return {**facts(row), "probabilities": named}

    figures = {
        **_right(right),
        "most_frequent": {
            "labels": labels[sets[frequent]].tolist(),
            "rows": counts[frequent],
        },
        "wrong_labels": wrong.sum(),
        "labels": judged.labels,
        "classes": classes.per_class(gold, predicted),
        "threshold": 0.5,
        "thresholds": thresholds.curve(gold, probabilities),
        "calibration": calibration.calibration(
            probabilities.reshape(-1), gold.reshape(-1)
        ),
        "by_length": judged.by_length(
            accuracy=right, wrong_labels=wrong.sum(axis=1)
        ),
        "worst": judged.worst(judged.loss, facts),
    }
    return Report(figures, judged.rows(all_facts), report_pages.multi_label)


def regression(judged: Judged, values: np.ndarray) -> Report:
    """Returns the report where each row has a number."""
    gold = judged.label_ids.reshape(-1).astype(np.float64)
    predicted = values.reshape(-1).astype(np.float64)
    residuals = predicted - gold
    errors = np.abs(residuals)
    shown = np.linspace(
        0, len(gold) - 1, min(len(gold), _MOST_POINTS), dtype=int
    )
    limit = errors.max() or 1.0
    counts, edges = np.histogram(residuals, _NUM_BARS, (-limit, limit))

    def facts(row: int) -> Row:
        return {
            "gold": judged.label_ids[row].reshape(()),
            "prediction": values[row].reshape(()),
        }

    figures = {
        "rows": len(gold),
        "mean_absolute_error": errors.mean(),
        "absolute_error_quantiles": {
            share: np.quantile(errors, share) for share in (0.5, 0.9)
        },
        "bias": residuals.mean(),
        "always_the_mean": {
            "value": gold.mean(),
            "mean_absolute_error": np.abs(gold - gold.mean()).mean(),
        },
        "points": {
            "gold": judged.label_ids.reshape(-1)[shown],
            "prediction": values.reshape(-1)[shown],
        },
        "residuals": {"edges": edges, "rows": counts},
        "by_gold": bins.by_quantile(
            judged.label_ids.reshape(-1),
            {"prediction": predicted, "error": errors, "bias": residuals},
        ),
        "by_length": judged.by_length(error=errors, bias=residuals),
        "worst": judged.worst(errors, facts),
    }
    return Report(figures, judged.rows(facts), report_pages.regression)


def _right(right: np.ndarray) -> Row:
    count = int(right.sum())
    return {
        "rows": len(right),
        "right": count,
        "interval": classes.interval(count, len(right)),
    }


def _texts(example: InputExample) -> Row:
    texts = {"id": example.guid, "text_a": example.text_a}
    if example.text_b is not None:
        texts["text_b"] = example.text_b
    return texts


_OF_KINDS: Mapping[str, Callable[[Judged, np.ndarray], Report]] = {
    "classification": single_label,
    "multi_label": multi_label,
    "regression": regression,
}
