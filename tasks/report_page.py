"""The page of a report: its frame, and what all tasks' pages end with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame

# Points of a curve that are drawn.
_MOST_POINTS = 400
_MOST_CURVES = 6

_STYLE = """
.lead { font-size: 1.15rem; }
td bdi { display: inline-block; min-width: 7rem; }
.cell {
  display: block; padding: 0 0.3rem; text-align: end;
  background: color-mix(in srgb, var(--hue) calc(var(--share) * 60%),
                        transparent);
}
.cell.right { --hue: #0072b2; }
.cell.wrong { --hue: #d55e00; }
.examples { padding-inline-start: 2rem; }
.examples li { margin-block-end: 1rem; break-inside: avoid; }
.examples p { margin: 0; }
blockquote {
  margin: 0 0 0.25rem; padding: 0.4rem 0.6rem; background: var(--panel);
  border-inline-start: 3px solid var(--line); white-space: pre-line;
  overflow-wrap: anywhere;
}
blockquote bdi { display: block; }
"""

Curves = Mapping[str, Mapping[str, Sequence[float]]]


def page(document: Mapping[str, Any], sections: Iterable[str]) -> str:
    """Returns a report's page.

    Args:
        document: what eval_report.json has.
        sections: what the task says; see `reports.Report`.
    """
    parts = [
        *sections,
        training(document["curves"]),
        results(document["results"]),
    ]
    title = f"Evaluation: {document['title']}"
    return frame.page(title, [part for part in parts if part], style=_STYLE)


def results(figures: Mapping[str, Any]) -> str:
    """Returns the section with what eval_results.txt has."""
    rows = [(frame.escape(k), number(v)) for k, v in sorted(figures.items())]
    return frame.section(
        "eval_results.txt", frame.table(["figure", "value"], rows, ["value"])
    )


def number(value: Any, digits: int = 4) -> str:
    """Returns a figure as people read it; – where it is not defined."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return frame.escape(value)


def percent(share: float | None) -> str:
    """Returns a share in percent; – where it is not defined."""
    if share is None:
        return "–"
    digits = 1 if 0 < share < 0.1 or 0.9 < share < 1 else 0
    return f"{100 * share:.{digits}f}%"


def training(curves: Curves) -> str:
    """Returns the section with the curves of training; "" without any."""
    losses = {tag: curve for tag, curve in curves.items() if "loss" in tag}
    rates = {tag: own for tag, own in curves.items() if tag == "learning_rate"}
    figures = {
        tag: curve
        for tag, curve in curves.items()
        if tag.startswith("eval/") and tag not in losses
    }
    if not losses.keys() - {tag for tag in losses if tag.startswith("eval/")}:
        return ""
    pictures = [
        _curves(losses, "Loss by step"),
        _curves(figures, "Figures of evaluations by step"),
        _curves(rates, "Learning rate by step"),
    ]
    inside = "\n".join(picture for picture in pictures if picture)
    return frame.section("Training", f'<div class="charts">{inside}</div>')


def _curves(curves: Curves, title: str) -> str:
    if not curves:
        return ""
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        for tag, curve in [*curves.items()][:_MOST_CURVES]:
            steps, values = _thinned(curve)
            few = "o-" if len(steps) < 30 else "-"
            axes.plot(steps, values, few, label=tag, markersize=3)
        axes.set_xlabel("step")
        axes.legend()
    return frame.figure(charts.svg(figure, title), title)


def _thinned(
    curve: Mapping[str, Sequence[float]],
) -> tuple[Sequence[float], Sequence[float]]:
    every = -(-len(curve["steps"]) // _MOST_POINTS)
    # Its end is in it.
    return curve["steps"][::-every][::-1], curve["values"][::-every][::-1]
