"""The page of a report: its frame, and what all tasks' pages end with."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bert.pages import charts, frame
from bert.tasks import spec

# Points of a curve that are drawn.
_MOST_POINTS = 400
_MOST_CURVES = 6

_STYLE = """
.lead { font-size: 1.15rem; }
td:not(.number) { min-width: 6rem; }
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


def score(value: float | None) -> str:
    """Returns a figure from 0 to 1, such as F1; – where it is not defined."""
    return "–" if value is None else f"{value:.3f}"


def percent(share: float | None) -> str:
    """Returns a share in percent; – where it is not defined."""
    if share is None:
        return "–"
    digits = 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0
    return f"{100 * share:.{digits}f}%"


def training(curves: Curves) -> str:
    """Returns the section with the curves of training; "" without any."""
    # Those of training first; `loss` is another mean of the same losses.
    tags = sorted(curves, key=lambda tag: tag.startswith("eval/"))
    if "eval/eval_loss" in tags and "eval/loss" in tags:
        tags.remove("eval/loss")
    losses = [tag for tag in tags if "loss" in tag]
    perplexities = [tag for tag in tags if "perplexity" in tag]
    apart = {*losses, *perplexities, *(f"eval/{mark}" for mark in spec.MARKS)}
    figures = [
        tag for tag in tags if tag.startswith("eval/") and tag not in apart
    ]
    rates = [tag for tag in tags if tag == "learning_rate"]
    if "loss" not in losses:
        return ""
    pictures = [
        _curves(curves, losses, "Loss by step"),
        _curves(curves, perplexities, "Perplexity by step"),
        _curves(curves, figures, "Figures of evaluations by step"),
        _curves(curves, rates, "Learning rate by step"),
    ]
    inside = "\n".join(picture for picture in pictures if picture)
    if not inside:
        return ""
    return frame.section("Training", f'<div class="charts">{inside}</div>')


def _curves(curves: Curves, tags: Sequence[str], title: str) -> str:
    if all(len(curves[tag]["steps"]) < 2 for tag in tags):
        return ""
    with charts.style():
        figure = charts.new_figure()
        axes = figure.subplots()
        for tag in tags[:_MOST_CURVES]:
            steps = _thinned(curves[tag]["steps"])
            values = _thinned(curves[tag]["values"])
            few = "o-" if len(steps) < 30 else "-"
            axes.plot(
                steps, charts.numbers(values), few, label=tag, markersize=3
            )
        for name, loss in spec.MARKS.items():
            if f"eval/{loss}" in tags and f"eval/{name}" in curves:
                charts.mark(axes, name, curves[f"eval/{name}"]["values"][-1:])
        if "perplexity" in tags:
            charts.make_logarithmic(axes)
        axes.locator_params("x", nbins=6, integer=True)
        axes.set_xlabel("step")
        if len(tags) > 3:  # it would cover some
            figure.legend(loc="outside upper left", ncols=2)
        else:
            axes.legend()
    return frame.figure(charts.svg(figure, title), title)


def _thinned(points: Sequence[float]) -> Sequence[float]:
    every = -(-len(points) // _MOST_POINTS)
    return points[::-every][::-1]  # the last one is in it
