"""The report on a dev set of run_classifier.py: its figures, and their page.

Figures become HTML by pure functions of what eval_report.json has. n rows, L
labels.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bert.errors import UserError
from bert.evaluation import bins, calibration, classes
from bert.pages import frame
from bert.tasks import report_sections as sections
from bert.tasks.classification.kinds import Kind
from bert.tasks.classification.processors import InputExample
from bert.tasks.report_page import number, percent
from bert.tasks.reports import Report

# Rows that are shown, and characters of a text there.
_WORST = 50
_MOST_CHARACTERS = 1000
# Labels up to which the whole confusion matrix is kept.
_MOST_IN_MATRIX = 200


@dataclasses.dataclass(frozen=True)
class Judged:
    """A dev set, and what the model says of it.

    Attributes:
        examples: n of them.
        labels: what the outputs are called; none where they have no names.
        logits: float32 [n, L].
        label_ids: as in the records, [n, ...].
        loss: float32 [n].
        lengths: of each row, in pieces, as the model saw it.
    """

    examples: Sequence[InputExample]
    labels: Sequence[str]
    logits: np.ndarray
    label_ids: np.ndarray
    loss: np.ndarray
    lengths: Sequence[int]


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
    gold = judged.label_ids.reshape(-1)
    predicted = judged.logits.argmax(axis=-1)
    rows = np.arange(len(gold))
    of_gold, sure = probabilities[rows, gold], probabilities[rows, predicted]
    right = gold == predicted
    numbers = np.arange(len(judged.labels))
    matrix = classes.confusion(gold, predicted, len(numbers))
    frequent = int(matrix.sum(axis=1).argmax())

    def row_of(row: int, most: int | None = None) -> dict[str, Any]:
        return {
            **_texts(judged.examples[row], most),
            "gold": judged.labels[gold[row]],
            "prediction": judged.labels[predicted[row]],
            "probability": sure[row],
            "probability_of_gold": of_gold[row],
        }

    figures = {
        "rows": len(gold),
        "right": int(right.sum()),
        "interval": classes.interval(int(right.sum()), len(gold)),
        "most_frequent": {
            "label": judged.labels[frequent],
            "rows": int(matrix[frequent].sum()),
        },
        "labels": judged.labels,
        "classes": classes.per_class(
            gold[:, None] == numbers, predicted[:, None] == numbers
        ),
        "confused": classes.confused(matrix),
        "confusion": matrix if len(numbers) <= _MOST_IN_MATRIX else None,
        "calibration": calibration.calibration(sure, right),
        "by_length": bins.by_quantile(
            np.asarray(judged.lengths),
            {"accuracy": right, "probability": sure},
        ),
        "worst": [
            row_of(row, _MOST_CHARACTERS)
            for row in np.argsort(of_gold, kind="stable")[:_WORST].tolist()
        ],
    }
    lines = (
        {
            **row_of(row),
            "probabilities": dict(
                zip(judged.labels, probabilities[row], strict=True)
            ),
        }
        for row in rows.tolist()
    )
    return Report(figures, lines, single_label_page)


def single_label_page(document: Mapping[str, Any]) -> Iterator[str]:
    """Yields the HTML of what `single_label` found."""
    labels, worst = document["labels"], document["worst"]
    frequent = document["most_frequent"]
    yield sections.lead(
        sections.share_right(
            document["right"], document["rows"], document["interval"]
        ),
        f"Always answering {sections.name(frequent['label'])} would give "
        f"{frequent['rows']:,}.",
    )
    yield frame.section(
        "Where it fails", sections.confused(labels, document["confused"])
    )
    yield frame.section(
        f"The {len(worst)} worst rows",
        sections.examples(map(_single_label_row, worst)),
    )
    yield frame.section("Labels", sections.classes(labels, document["classes"]))
    if document["confusion"]:
        yield frame.section(
            "Confusion matrix",
            sections.confusion(labels, document["confusion"]),
        )
    yield frame.section(
        "How sure it is", sections.calibration(document["calibration"])
    )
    yield frame.section(
        "By length",
        sections.by_length(
            document["by_length"],
            {"accuracy": "accuracy", "probability": "probability it gives"},
        ),
    )


def _single_label_row(row: Mapping[str, Any]) -> str:
    is_right = row["gold"] == row["prediction"]
    kind = "good" if is_right else "bad"
    return sections.example(
        [row[key] for key in ("text_a", "text_b") if key in row],
        [
            f"is {sections.name(row['gold'])} "
            f"({percent(row['probability_of_gold'])}), was taken for "
            f'<span class="{kind}">{sections.name(row["prediction"])}</span> '
            f"({percent(row['probability'])})",
            f'<span class="muted">row {number(row["id"])}</span>',
        ],
    )


def _texts(example: InputExample, most: int | None = None) -> dict[str, Any]:
    texts = {"text_a": example.text_a, "text_b": example.text_b}
    return {
        "id": example.guid,
        **{
            key: text
            if most is None or len(text) <= most
            else text[: most - 1] + "…"
            for key, text in texts.items()
            if text is not None
        },
    }


_OF_KINDS = {"classification": single_label}
