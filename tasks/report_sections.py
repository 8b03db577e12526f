"""Parts of reports that several tasks have: HTML of what eval_report.json has.

All are pure functions. They take what the functions in `evaluation/` return.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame
from bert.tasks.report_page import number, percent

Figures = Mapping[str, Any]

# Up to so many classes their confusion is a table that people can read.
_MOST_IN_TABLE = 12
# Characters of a text, and of a label where it stands in a line.
_LABEL = 60


def lead(first: str, *more: str) -> str:
    """Returns the page's beginning: the figure that counts, and what it means.

    Args:
        first: HTML.
        *more: HTML of a line each.
    """
    lines = "".join(f"<p>{line}</p>\n" for line in more if line)
    return f'<p class="lead">{first}</p>\n{lines}'


def name(label: str) -> str:
    """Returns a label inside a sentence."""
    short = label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"
    return f"<b>{frame.text(short)}</b>"


def share_right(right: int, rows: int, interval: Sequence[float]) -> str:
    """Returns how many rows are right, in words."""
    low, high = interval
    return (
        f"<strong>{right:,} of {rows:,} {plural('row', rows)} right</strong> "
        f'({percent(right / rows)}). <span class="muted">With so many rows, '
        f"anything from {percent(low)} to {percent(high)} may be true of all "
        "such texts.</span>"
    )


def plural(noun: str, count: int) -> str:
    """Returns a noun as it stands after a number."""
    return noun if count == 1 else f"{noun}s"


def classes(labels: Sequence[str], figures: Sequence[Figures]) -> str:
    """Returns the table of the figures of each class.

    Args:
        labels: their names.
        figures: of `classes.per_class`.
    """
    columns = ["label", "rows", "predicted", "precision", "recall", "F1"]
    keys = ["support", "predicted", "precision", "recall", "f1"]
    rows = [
        [frame.text(label), *(number(own[key], 3) for key in keys)]
        for label, own in zip(labels, figures, strict=True)
    ]
    return frame.table(columns, rows, columns[1:])


def confusion(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """Returns a confusion matrix: a table, or a picture of many classes.

    Args:
        labels: the classes' names.
        matrix: of `classes.confusion`.
    """
    if len(labels) > _MOST_IN_TABLE:
        return _confusion_map(matrix)
    columns = ["is ↓ taken for →", *map(str, range(1, len(labels) + 1))]
    rows = []
    for index, (label, counts) in enumerate(zip(labels, matrix, strict=True)):
        total = max(1, sum(counts))
        cells = [
            _cell(count, count / total, index == other)
            for other, count in enumerate(counts)
        ]
        rows.append([f"{index + 1} {frame.text(label)}", *cells])
    return frame.table(columns, rows, columns[1:])


def _cell(count: int, share: float, is_right: bool) -> str:
    kind = "right" if is_right else "wrong"
    return (
        f'<span class="cell {kind}" style="--share:{share:.2f}">{count}</span>'
    )


def _confusion_map(matrix: Sequence[Sequence[int]]) -> str:
    size = len(matrix)
    shares = [[count / max(1, sum(row)) for count in row] for row in matrix]
    with charts.style():
        figure = charts.new_figure(7.0, 7.0)
        axes = figure.subplots()
        axes.imshow(
            charts.shaded(shares), extent=(0.5, size + 0.5, size + 0.5, 0.5)
        )
        axes.set_xlabel("taken for")
        axes.set_ylabel("is")
        axes.grid(visible=False)
    return frame.figure(
        charts.svg(figure, "Confusion matrix"),
        "Each line is a label, by its number in the table below; the darker a "
        "point, the larger its share of the line. What is right is on the "
        "diagonal.",
    )


def confused(labels: Sequence[str], pairs: Sequence[Figures]) -> str:
    """Returns the table of the classes that are mixed up most often.

    Args:
        labels: the classes' names.
        pairs: of `classes.confused`.
    """
    if not pairs:
        return "<p>No label was taken for another.</p>"
    rows = [
        [
            frame.text(labels[own["gold"]]),
            frame.text(labels[own["predicted"]]),
            number(own["rows"]),
            percent(own["share"]),
        ]
        for own in pairs
    ]
    columns = ["is", "was taken for", "rows", "of all that are"]
    return frame.table(columns, rows, columns[2:])


def calibration(figures: Figures, what: str = "row") -> str:
    """Returns how much probabilities are worth.

    Args:
        figures: of `calibration.calibration`.
        what: what has a probability.
    """
    stated, true = figures["probability"], figures["share"]
    judged = "about as sure as it may be"
    if abs(stated - true) >= 0.02:
        judged = "too sure" if stated > true else "not sure enough"
    words = (
        f"<p>The model is {judged}: its probabilities say {percent(stated)}, "
        f"and {percent(true)} came true. Expected calibration error: "
        f"{number(figures['error'], 3)}.</p>"
    )
    bins = figures["bins"]
    with charts.style():
        figure = charts.new_figure(5.2, 4.2)
        top, below = figure.subplots(
            2, sharex=True, gridspec_kw={"height_ratios": [3, 1]}
        )
        top.plot([0, 1], [0, 1], color=charts.MUTED, linestyle=":")
        top.plot(
            [own["probability"] for own in bins],
            [own["share"] for own in bins],
            "o-",
        )
        top.set_ylabel("share that came true")
        top.set_ylim(-0.03, 1.03)
        below.bar(
            [(own["from"] + own["to"]) / 2 for own in bins],
            [own["rows"] for own in bins],
            width=0.09,
        )
        below.set_ylabel(f"{what}s")
        below.set_xlabel("probability of the answer")
        below.set_xlim(0, 1)
    caption = "On the dotted line, probabilities are what they say."
    return words + frame.figure(charts.svg(figure, "Calibration"), caption)


def by_length(
    bins: Sequence[Figures], names: Mapping[str, str], of: str = "pieces"
) -> str:
    """Returns the table of figures by length.

    Args:
        bins: of `bins.by_quantile`.
        names: the columns, by the keys of the values in the bins.
        of: what a length is counted in.
    """
    columns = [of, "rows", *names.values()]
    rows = [
        [
            f"{own['from']}"
            + (f" to {own['to']}" if own["to"] != own["from"] else ""),
            number(own["rows"]),
            *(number(own[key], 3) for key in names),
        ]
        for own in bins
    ]
    return frame.table(columns, rows, columns[1:])


def example(texts: Iterable[str], facts: Iterable[str]) -> str:
    """Returns a row of a data set: its texts, and what is said of it.

    Args:
        texts: as they are.
        facts: HTML of a line each.
    """
    quoted = "".join(f"<blockquote>{frame.text(t)}</blockquote>" for t in texts)
    said = "".join(f"<p>{fact}</p>" for fact in facts)
    return f"<li>{quoted}{said}</li>"


def examples(items: Iterable[str]) -> str:
    """Returns a list of `example`s."""
    return f'<ol class="examples">\n{chr(10).join(items)}\n</ol>'
