"""Parts of reports that several tasks have: HTML of what eval_report.json has.

All are pure functions. They take what the functions in `evaluation/` return.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame, marks
from bert.pages.marks import Marked
from bert.tasks.report_page import number, percent, score

Figures = Mapping[str, Any]

# Up to so many classes their confusion is a table that people can read.
_MOST_IN_TABLE = 12
# Characters of a label where all of it stands elsewhere on the page.
_MOST_OF_LABEL = 60
# Labels that are named as the weakest.
_WEAKEST = 5


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
    return f"<b>{_short(label)}</b>"


def _short(label: str) -> str:
    if len(label) > _MOST_OF_LABEL:
        label = f"{label[: _MOST_OF_LABEL - 1]}…"
    return frame.text(label)


def names(labels: Iterable[str]) -> str:
    """Returns labels inside a sentence."""
    return ", ".join(map(name, labels))


def share_right(document: Figures, how: str = "") -> str:
    """Returns how many rows are right, in words.

    Args:
        document: has `right`, `rows` and the `interval` of the former.
        how: what makes a row right, behind that.
    """
    right, rows = document["right"], document["rows"]
    low, high = document["interval"]
    what = f"{plural('row', rows)} right{' ' * bool(how)}{how}"
    return (
        f"<strong>{right:,} of {rows:,} {what}</strong> "
        f'<span class="muted">({percent(right / rows)}; 95% interval '
        f"{percent(low)} to {percent(high)})</span>."
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
    columns = ["label", "rows", "precision", "recall", "F1"]
    rows = [
        [
            _numbered(index, label),
            number(own["support"]),
            *(score(own[key]) for key in ("precision", "recall", "f1")),
        ]
        for index, (label, own) in enumerate(zip(labels, figures, strict=True))
    ]
    return frame.table(columns, rows, columns[1:])


def weakest(labels: Sequence[str], figures: Sequence[Figures]) -> str:
    """Returns a line that names the labels with the lowest F1.

    Args:
        labels: their names.
        figures: of `classes.per_class`.
    """
    found = [
        (own["f1"], label)
        for label, own in zip(labels, figures, strict=True)
        if own["f1"] is not None and own["f1"] < 1
    ]
    found.sort(key=lambda own: own[0])
    if not found:
        return ""
    listed = ", ".join(
        f"{name(label)} {score(f1)}" for f1, label in found[:_WEAKEST]
    )
    return f"<p>Lowest F1: {listed}.</p>"


def _numbered(index: int, label: str) -> str:
    return f'<span class="muted">{index + 1}</span> {frame.text(label)}'


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
        rows.append([_numbered(index, label), *cells])
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
        figure = charts.new_figure(5.2, 5.2)
        axes = figure.subplots()
        axes.imshow(
            charts.shaded(shares), extent=(0.5, size + 0.5, size + 0.5, 0.5)
        )
        axes.set_xlabel("taken for")
        axes.set_ylabel("is")
        axes.grid(visible=False)
    return frame.figure(
        charts.svg(figure, "Confusion matrix"),
        "Each line is a label, by its number in the table of labels; the "
        "stronger a point, the larger its share of the line. What is right is "
        "on the diagonal.",
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
            _short(labels[own["gold"]]),
            _short(labels[own["predicted"]]),
            number(own["rows"]),
            percent(own["share"]),
        ]
        for own in pairs
    ]
    columns = ["is", "was taken for", "rows", "share"]
    return frame.table(columns, rows, columns[2:])


def calibration(figures: Figures, what: str = "answer") -> str:
    """Returns how much probabilities are worth.

    Args:
        figures: of `calibration.calibration`.
        what: what has a probability.
    """
    stated, true = figures["probability"], figures["share"]
    judged = "as sure as it may be, on average"
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
        below.set_ylabel("number")
        below.set_xlabel(f"probability of the {what}")
        below.set_xlim(0, 1)
    caption = "On the dotted line, probabilities are what they say."
    return words + frame.figure(charts.svg(figure, "Calibration"), caption)


def by_length(
    bins: Sequence[Figures], columns: Mapping[str, str], shares: bool = False
) -> str:
    """Returns the section with the figures by a text's length in pieces.

    Args:
        bins: of `bins.by_quantile`.
        columns: see `binned`.
        shares: see `binned`.
    """
    return frame.section(
        "By length", binned(bins, "length in pieces", columns, shares)
    )


def binned(
    bins: Sequence[Figures],
    key: str,
    columns: Mapping[str, str],
    shares: bool = False,
) -> str:
    """Returns a table of figures in bins.

    Args:
        bins: of `bins.by_quantile`.
        key: what the rows are sorted by.
        columns: their titles, by the names of the values in the bins.
        shares: whether the values are shares.
    """
    titles = [key, "rows", *columns.values()]
    shown = percent if shares else functools.partial(number, digits=3)
    rows = [
        [
            _range(own["from"], own["to"]),
            number(own["rows"]),
            *(shown(own[name]) for name in columns),
        ]
        for own in bins
    ]
    return frame.table(titles, rows, titles)


def _range(first: float, last: float) -> str:
    if first == last:
        return number(first)
    return f"{number(first)} to {number(last)}"


def example(texts: Iterable[str], row_id: object, facts: Iterable[str]) -> str:
    """Returns a row of a data set: its texts, and what is said of it.

    Args:
        texts: as they are.
        row_id: what the row is called.
        facts: HTML of a line each.
    """
    shown = (frame.text(text or "(empty)") for text in texts)
    return _item(shown, row_id, facts)


def marked(shown: Marked, row_id: object, facts: Iterable[str]) -> str:
    """Returns a text with marked places; see `example`."""
    return _item([marks.html(shown)], row_id, facts)


def _item(texts: Iterable[str], row_id: object, facts: Iterable[str]) -> str:
    quoted = "".join(f"<blockquote>{text}</blockquote>" for text in texts)
    called = f'<span class="muted">row {frame.text(row_id)}</span>'
    said = "".join(f"<p>{fact}</p>" for fact in (*facts, called))
    return f"<li>{quoted}{said}</li>"


def examples(items: Iterable[str]) -> str:
    """Returns a list of `example`s."""
    return f'<ol class="examples">\n{chr(10).join(items)}\n</ol>'
