"""The page of runs side by side: what differs, figures, curves."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bert.pages import charts, frame
from bert.tasks import spec

# Points of a curve that a page draws; a picture has no more pixels.
_MOST_POINTS = 400
_DASHES = ("-", "--", ":", "-.")
# More of them in a legend hide the picture.
_MOST_NAMED = 24


class Row(NamedTuple):
    """A run.

    Attributes:
        folder: where it is.
        state: how it ended.
        settings: what differs, by name.
        figures: by name, as they are shown.
        curves: (steps, values) by tag.
    """

    folder: str
    state: str
    settings: Mapping[str, str]
    figures: Mapping[str, str]
    curves: Mapping[str, tuple[Sequence[int], Sequence[float]]]


def page(rows: Sequence[Row], title: str = "Runs side by side") -> str:
    """Returns the page.

    Args:
        rows: the runs; numbered from 1.
        title: its heading.
    """
    settings = list(dict.fromkeys(n for row in rows for n in row.settings))
    figures = list(dict.fromkeys(n for row in rows for n in row.figures))

    def cells(own: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
        return (frame.text(own.get(name, "")) for name in names)

    parts = [
        frame.section(
            "Figures and what differs",
            frame.table(
                ["run", *figures, *settings],
                (
                    [
                        str(number),
                        *(
                            frame.escape(row.figures.get(n, ""))
                            for n in figures
                        ),
                        *(
                            frame.text(row.settings.get(n, ""))
                            for n in settings
                        ),
                    ]
                    for number, row in enumerate(rows, start=1)
                ),
                # None is broken into lines: a wide table scrolls.
                ["run", *figures, *settings],
            ),
        ),
        frame.section(
            "Runs",
            frame.table(
                ["run", "folder", "state"],
                (
                    [str(number), frame.text(row.folder), frame.text(row.state)]
                    for number, row in enumerate(rows, start=1)
                ),
                ["run"],
            ),
        ),
    ]
    if pictures := _pictures(rows):
        inside = f'<div class="charts">{"".join(pictures)}</div>'
        note = '<p class="muted">A number is that of a run.</p>'
        parts.append(frame.section("Curves", note, inside))
    return frame.page(title, parts)


def _pictures(rows: Sequence[Row]) -> list[str]:
    # A point alone is no curve.
    tags = dict.fromkeys(
        tag
        for row in rows
        for tag, (steps, _) in row.curves.items()
        if len(steps) > 1 and _figure(tag) not in spec.MARKS
    )
    # What people look for first.
    ranked = sorted(tags, key=lambda tag: "loss" not in tag)
    return [frame.figure(_chart(rows, tag), tag) for tag in ranked]


def _figure(tag: str) -> str:
    return tag.rpartition("/")[2]


def _marks(rows: Sequence[Row], tag: str) -> Iterator[tuple[str, list[float]]]:
    """Yields the lines across the curves of a tag: name, and each run's."""
    for name, loss in spec.MARKS.items():
        if _figure(tag) == loss:
            curves = (row.curves.get(f"eval/{name}") for row in rows)
            yield name, [curve[1][-1] for curve in curves if curve]


def _chart(rows: Sequence[Row], tag: str) -> str:
    colours = len(frame.COLOURS)
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        for name, levels in _marks(rows, tag):
            charts.mark(axes, name, levels)
        for place, row in enumerate(rows):
            if tag not in row.curves:
                continue
            steps, values = row.curves[tag]
            apart = math.ceil(len(steps) / _MOST_POINTS) or 1
            axes.plot(
                [*steps[:-1:apart], *steps[-1:]],
                [*values[:-1:apart], *values[-1:]],
                color=frame.COLOURS[place % colours],
                linestyle=_DASHES[place // colours % len(_DASHES)],
                linewidth=1.4,
                marker="." if len(steps) < 20 else "",
                label=str(place + 1),
            )
        axes.set_xlabel("step")
        axes.locator_params(axis="x", integer=True)
        axes.ticklabel_format(axis="y", useOffset=False)
        if _figure(tag) == "perplexity":
            charts.make_logarithmic(axes)
        named = [x for x in axes.get_lines() if x.get_label() != "_"]
        lines = named[:_MOST_NAMED]
        axes.legend(
            handles=lines,
            loc="center left",
            bbox_to_anchor=(1, 0.5),
            ncols=math.ceil(len(lines) / 12) or 1,
            handlelength=1.6,
        )
    return charts.svg(figure, f"{tag} by step")
