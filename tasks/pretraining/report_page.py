"""The page of a report on pre-training: HTML of what `report` finds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame
from bert.tasks import report_sections
from bert.tasks.report_page import number, percent, score

Facts = Mapping[str, Any]

# Title and the names of the labels, by --next_sentence.
_SECOND_TASKS = {
    "nsp": ("Next sentence", ["the next sentence", "another one"]),
    "sop": ("Sentence order", ["in their order", "swapped"]),
}
_FIGURES = {
    "predictions": "masked",
    "accuracy": "accuracy",
    "loss": "loss",
}


def sections(document: Facts) -> Iterator[str]:
    """Yields the HTML of what `report.facts` found."""
    right, predictions = document["right"], document["predictions"]
    entropy = document["results"].get("unigram_entropy")
    without = "" if entropy is None else _without_context(entropy)
    share = right / predictions if predictions else None
    yield report_sections.lead(
        f"<strong>{right:,} of {predictions:,} masked pieces right</strong> "
        f"({percent(share)}).",
        f"Perplexity: {number(document['perplexity'])}{without}. "
        f"{document['sequences']:,} sequences.",
    )
    yield frame.section(
        "By frequency of the piece",
        "<p>How often it is among the masked pieces of this evaluation.</p>",
        _chart(document["by_frequency"], "times", "Accuracy by frequency"),
        _table(
            document["by_frequency"],
            {"times": "times", "pieces": "pieces"},
        ),
    )
    parts = [
        {**own, "part": f"from {10 * own['part']}%"}
        for own in document["by_part"]
    ]
    yield frame.section(
        "By part of the sequence",
        "<p>Where the piece stands in its sequence, in tenths of that.</p>",
        _chart(parts, "part", "Accuracy by part of the sequence"),
        _table(parts, {"part": "part"}),
    )
    yield frame.section("Where it fails", _confused(document["confused"]))
    if second := document.get("next_sentence"):
        title, names = _SECOND_TASKS[second.get("objective", "nsp")]
        yield frame.section(
            title, report_sections.confusion(names, second["confusion"])
        )


def _without_context(entropy: float) -> str:
    """Returns what the perplexity is to be compared with."""
    return f" (without any context: {number(math.exp(entropy))})"


def _table(rows: Sequence[Facts], first: Mapping[str, str]) -> str:
    names = {**first, **_FIGURES}
    columns = list(names.values())
    return frame.table(
        columns,
        [
            [
                *(number(own[key]) for key in (*first, "predictions")),
                *(score(own[key]) for key in ("accuracy", "loss")),
            ]
            for own in rows
        ],
        columns,
    )


def _chart(rows: Sequence[Facts], key: str, title: str) -> str:
    if not rows:
        return ""
    with charts.style():
        figure = charts.new_figure(5.2, 2.6)
        axes = figure.subplots()
        axes.bar(
            [own[key].removeprefix("from ") for own in rows],
            [100 * own["accuracy"] for own in rows],
            width=0.7,
        )
        axes.grid(visible=False, axis="x")
        axes.tick_params(axis="x", labelsize=8.5)
        axes.set_ylim(0, 100)
        axes.set_ylabel("percent right")
    return frame.figure(charts.svg(figure, title), title)


def _confused(pairs: Sequence[Facts]) -> str:
    if not pairs:
        return "<p>No piece was taken for another.</p>"
    columns = ["is", "was taken for", "times", "share"]
    rows = [
        [
            frame.text(own["gold"]),
            frame.text(own["predicted"]),
            number(own["count"]),
            percent(own["share"]),
        ]
        for own in pairs
    ]
    found = frame.table(columns, rows, columns[2:])
    if all(own["gold"].startswith("[id ") for own in pairs):
        why = "By their ids: no vocab.txt stands beside the model's "
        return f"<p>{why}configuration.</p>\n{found}"
    return found
