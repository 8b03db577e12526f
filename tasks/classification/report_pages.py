"""The pages of run_classifier.py's reports: HTML of what eval_report.json has.

A pure function for each kind of label; see `report` for the figures.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame
from bert.tasks import report_sections as sections
from bert.tasks.report_page import number, percent, score

# Lines of a table of labels where it fails.
_WEAKEST = 20

Document = Mapping[str, Any]


def single_label(document: Document) -> Iterator[str]:
    """Yields the page of `report.single_label`."""
    labels, frequent = document["labels"], document["most_frequent"]
    yield sections.lead(
        sections.share_right(document),
        f"Always answering {sections.name(frequent['label'])} would give "
        f"{frequent['rows']:,}.",
    )
    yield frame.section(
        "Where it fails",
        sections.weakest(labels, document["classes"]),
        sections.confused(labels, document["confused"]),
    )
    yield _worst(document, _single_label_facts)
    yield frame.section(
        "Each label", sections.classes(labels, document["classes"])
    )
    if document["confusion"]:
        yield frame.section(
            "What was taken for what",
            sections.confusion(labels, document["confusion"]),
        )
    yield frame.section(
        "How sure it is", sections.calibration(document["calibration"])
    )
    yield sections.by_length(
        document["by_length"],
        {"accuracy": "right", "probability": "mean probability"},
        shares=True,
    )


def _single_label_facts(row: Document) -> list[str]:
    gold = (
        f"{sections.name(row['gold'])} ({percent(row['probability_of_gold'])})"
    )
    if row["gold"] == row["prediction"]:
        return [f'is <span class="good">{gold}</span>, and so was the answer']
    return [
        f"is {gold}, was taken for "
        f'<span class="bad">{sections.name(row["prediction"])}</span> '
        f"({percent(row['probability'])})"
    ]


def multi_label(document: Document) -> Iterator[str]:
    """Yields the page of `report.multi_label`."""
    labels, frequent = document["labels"], document["most_frequent"]
    always = sections.names(frequent["labels"]) or "no label"
    yield sections.lead(
        sections.share_right(document, "with all their labels"),
        f"Always answering {always} would give {frequent['rows']:,}. "
        f"{document['wrong_labels']:,} of "
        f"{len(labels) * document['rows']:,} yes-or-no questions have a wrong "
        "answer.",
    )
    yield frame.section(
        "Where it fails",
        sections.weakest(labels, document["classes"]),
        _missed_and_invented(labels, document["classes"]),
    )
    yield _worst(document, _multi_label_facts)
    yield frame.section(
        "Each label", sections.classes(labels, document["classes"])
    )
    yield frame.section(
        "The threshold",
        _thresholds(document["thresholds"], document["threshold"]),
    )
    yield frame.section(
        "How sure it is", sections.calibration(document["calibration"], "label")
    )
    yield sections.by_length(
        document["by_length"],
        {"accuracy": "all labels right", "wrong_labels": "wrong labels a row"},
    )


def _missed_and_invented(
    labels: Sequence[str], figures: Sequence[Document]
) -> str:
    counts = [
        (own["support"] - own["right"], own["predicted"] - own["right"], label)
        for label, own in zip(labels, figures, strict=True)
    ]
    counts.sort(key=lambda own: -own[0] - own[1])
    rows = [
        [frame.text(label), number(missed), number(invented)]
        for missed, invented, label in counts[:_WEAKEST]
        if missed + invented
    ]
    if not rows:
        return "<p>Every label of every row is right.</p>"
    return frame.table(
        ["label", "missed", "invented"], rows, ["missed", "invented"]
    )


def _multi_label_facts(row: Document) -> list[str]:
    probabilities = row["probabilities"]

    def listed(names: list[str]) -> str:
        return ", ".join(
            f"{sections.name(each)} ({percent(probabilities[each])})"
            for each in names
        )

    gold, predicted = row["gold"], row["prediction"]
    kinds = {
        "right": [each for each in gold if each in predicted],
        "missed": [each for each in gold if each not in predicted],
        "invented": [each for each in predicted if each not in gold],
    }
    shown = [
        f'<span class="{"good" if kind == "right" else "bad"}">{kind}</span>: '
        f"{listed(own)}"
        for kind, own in kinds.items()
        if own
    ]
    return shown or ["has no label, and got none"]


def _thresholds(curve: Sequence[Document], used: float) -> str:
    best = max(curve, key=lambda own: own["f1"] or 0.0)
    at = min(curve, key=lambda own: abs(own["threshold"] - used))
    words = (
        f"<p>A label is given from a probability of {used:g} on: F1 "
        f"{score(at['f1'])} of all labels together. "
    )
    if (best["f1"] or 0.0) > (at["f1"] or 0.0):
        words += (
            f"From {best['threshold']:g} on it would be "
            f"{score(best['f1'])} for these rows; expect a little less of "
            "others."
        )
    else:
        words += "No other threshold is better for these rows."
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        for key, line in (("precision", "--"), ("recall", ":"), ("f1", "-")):
            axes.plot(
                [own["threshold"] for own in curve],
                charts.numbers(own[key] for own in curve),
                line,
                label=key,
            )
        axes.axvline(used, color=charts.MUTED, linewidth=1)
        axes.set_xlabel("threshold; the line is the one that is used")
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlim(0, 1)
        axes.legend()
    return f"{words}</p>\n" + frame.figure(
        charts.svg(figure, "Precision, recall and F1 by threshold"),
        "Precision, recall and F1 of all labels together.",
    )


def regression(document: Document) -> Iterator[str]:
    """Yields the page of `report.regression`."""
    quantiles = document["absolute_error_quantiles"]
    mean = document["always_the_mean"]
    rows = document["rows"]
    yield sections.lead(
        "<strong>The answers are off by "
        f"{number(document['mean_absolute_error'], 3)} on average</strong> "
        f"({rows:,} {sections.plural('row', rows)}); half of them by at most "
        f"{number(quantiles['0.5'], 3)}, a tenth by more than "
        f"{number(quantiles['0.9'], 3)}.",
        f"Always answering {number(mean['value'], 3)}, the mean, would be off "
        f"by {number(mean['mean_absolute_error'], 3)}.",
    )
    yield frame.section(
        "Where it fails",
        f'<div class="charts">{_scatter(document)}'
        f"{_residuals(document['residuals'])}</div>",
        sections.binned(
            document["by_gold"],
            "right number",
            {
                "prediction": "predicted",
                "error": "off by",
                "bias": "too high by",
            },
        ),
    )
    yield _worst(document, _regression_facts)
    yield sections.by_length(
        document["by_length"], {"error": "off by", "bias": "too high by"}
    )


def _regression_facts(row: Document) -> list[str]:
    return [
        f"is <b>{number(row['gold'])}</b>, was taken for "
        f'<b class="bad">{number(row["prediction"])}</b>'
    ]


def _scatter(document: Document) -> str:
    points = document["points"]
    gold, predicted = points["gold"], points["prediction"]
    ends = [min(gold + predicted), max(gold + predicted)]
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        axes.plot(ends, ends, ":", color=charts.MUTED)
        axes.plot(gold, predicted, "o", markersize=3, alpha=0.5)
        axes.set_xlabel("right number")
        axes.set_ylabel("predicted")
    caption = "On the dotted line, answers are right."
    if len(gold) < document["rows"]:
        caption += f" {len(gold):,} of {document['rows']:,} rows."
    return frame.figure(
        charts.svg(figure, "Predicted by right number"), caption
    )


def _residuals(residuals: Document) -> str:
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        axes.stairs(residuals["rows"], residuals["edges"], fill=True)
        axes.axvline(0, color=charts.MUTED, linestyle=":")
        axes.set_xlabel("predicted, less the right number")
        axes.set_ylabel("rows")
    return frame.figure(
        charts.svg(figure, "Errors"), "How far off the answers are."
    )


def _worst(document: Document, facts: Any) -> str:
    worst = document["worst"]
    items = (
        sections.example(
            [row[key] for key in ("text_a", "text_b") if key in row],
            row["id"],
            facts(row),
        )
        for row in worst
    )
    title = (
        f"The {len(worst)} worst rows" if len(worst) > 1 else "The worst row"
    )
    return frame.section(title, sections.examples(items))
