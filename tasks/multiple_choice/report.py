"""What there is to say of choices, for eval_report.json, and its page.

Letters of shapes: n questions, C choices.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bert.errors import UserError
from bert.evaluation import bins, calibration, classes
from bert.pages import frame
from bert.tasks import report_sections as sections
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.report_page import percent, score
from bert.tasks.reports import Report, shortened

# Rows that are shown, and choices of each.
_WORST = 50
_MOST_CHOICES = 6


class Judged(NamedTuple):
    """A dev set, and what the model says of it.

    Attributes:
        examples: n of them.
        probabilities: of the choices, float32 [n, C]; 0 where there is none.
        label_ids: the right choices, int [n].
        lengths: of each example, in pieces of all its choices, int [n].
    """

    examples: Sequence[ChoiceExample]
    probabilities: np.ndarray
    label_ids: np.ndarray
    lengths: np.ndarray


def make(judged: Judged) -> Report:
    """Returns the report on a dev set.

    Raises:
        UserError: the model's outputs are not numbers.
    """
    probabilities, gold = judged.probabilities, judged.label_ids
    if not np.isfinite(probabilities).all():
        raise UserError(
            "the model's outputs are not numbers; was it trained to a finite "
            "loss?"
        )
    rows = np.arange(len(gold))
    predicted = probabilities.argmax(axis=-1)
    of_gold, sure = probabilities[rows, gold], probabilities[rows, predicted]
    right = gold == predicted
    positions = np.arange(probabilities.shape[1])

    def row_of(row: int) -> dict[str, Any]:
        example = judged.examples[row]
        own = probabilities[row, : len(example.choices)]
        return {
            "id": example.guid,
            "text": example.text,
            "choices": [
                {"text": choice, "probability": probability}
                for choice, probability in zip(
                    example.choices, own, strict=True
                )
            ],
            "gold": gold[row],
            "prediction": predicted[row],
        }

    figures = {
        "rows": len(gold),
        "right": int(right.sum()),
        "interval": classes.interval(int(right.sum()), len(gold)),
        "by_guessing": _by_guessing(judged.examples),
        "positions": classes.per_class(
            gold[:, None] == positions, predicted[:, None] == positions
        ),
        "confusion": classes.confusion(gold, predicted, len(positions)),
        "calibration": calibration.calibration(sure, right),
        "by_length": bins.by_quantile(
            judged.lengths, {"accuracy": right, "probability": sure}
        ),
        "worst": [
            _short(row_of(row))
            for row in np.argsort(of_gold, kind="stable")[:_WORST].tolist()
        ],
    }
    return Report(figures, map(row_of, rows.tolist()), page_sections)


def _by_guessing(examples: Sequence[ChoiceExample]) -> float:
    """Returns the accuracy of choosing at random, of what there is."""
    there = (sum(map(bool, example.choices)) for example in examples)
    return sum(1 / number for number in there) / len(examples)


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    choices = [shortened(choice) for choice in row["choices"]]
    return {**shortened(row), "choices": choices}


def page_sections(document: Mapping[str, Any]) -> Iterator[str]:
    """Yields the HTML of what `make` found."""
    positions, worst = document["positions"], document["worst"]
    yield sections.lead(
        sections.share_right(document),
        f"Guessing would give {percent(document['by_guessing'])}.",
    )
    yield frame.section(
        "By position", _by_position(positions, document["rows"])
    )
    yield frame.section(
        f"The {len(worst)} worst rows",
        "<p>Those first whose right choice is given the least probability.</p>",
        sections.examples(map(_row, worst)),
    )
    yield frame.section(
        "What was taken for what",
        sections.confusion(
            [_letter(number) for number in range(len(positions))],
            document["confusion"],
        ),
    )
    yield frame.section(
        "How sure it is", sections.calibration(document["calibration"])
    )
    yield sections.by_length(
        document["by_length"],
        {"accuracy": "accuracy", "probability": "mean probability"},
        shares=True,
    )


def _by_position(positions: Sequence[Mapping[str, Any]], rows: int) -> str:
    columns = ["choice", "is right", "is chosen", "accuracy", "F1"]
    return frame.table(
        columns,
        [
            [
                _letter(index),
                *(
                    f"{own[key]} ({percent(own[key] / rows)})"
                    for key in ("support", "predicted")
                ),
                percent(own["recall"]),
                score(own["f1"]),
            ]
            for index, own in enumerate(positions)
        ],
        columns[1:],
    )


def _row(row: Mapping[str, Any]) -> str:
    choices = row["choices"]
    there = [index for index, choice in enumerate(choices) if choice["text"]]
    there.sort(key=lambda i: (i != row["gold"], -choices[i]["probability"]))
    lines = [
        f'<b class="muted">{_letter(index)}</b> '
        f"{frame.text(choices[index]['text'])} "
        f"({percent(choices[index]['probability'])}){_mark(row, index)}"
        for index in sorted(there[:_MOST_CHOICES])
    ]
    if more := there[_MOST_CHOICES:]:
        lines.append(f'<span class="muted">and {len(more)} more</span>')
    return sections.example([row["text"]], row["id"], lines)


def _mark(row: Mapping[str, Any], index: int) -> str:
    marks = [
        ("good", "right", row["gold"]),
        (
            "bad" if row["gold"] != index else "good",
            "chosen",
            row["prediction"],
        ),
    ]
    return "".join(
        f' <strong class="{kind}">{word}</strong>'
        for kind, word, number_of in marks
        if number_of == index
    )


def _letter(index: int) -> str:
    """Returns what a choice is called: A, B, …; its number behind Z."""
    return chr(ord("A") + index) if index < 26 else str(index)
