"""Texts in which the right places and those of a model are marked.

Right places are underlined; the model's have a ground and a dashed line above:
both are seen without colours, on paper, and on top of each other.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bert.pages.frame import escape

LEGEND = (
    '<p class="muted"><mark class="gold">right</mark> and '
    '<mark class="predicted">predicted</mark>; '
    '<mark class="gold predicted">both at once</mark>.</p>'
)
_CUT = "…"
# How far from where a text is to be cut a space is looked for, in characters.
_NEAR = 15


class Span(NamedTuple):
    """A place in a text.

    Attributes:
        start: its first character.
        end: one past its last one.
        label: what it is called, such as an entity's type.
    """

    start: int
    end: int
    label: str = ""


class Marked(NamedTuple):
    """A text, what is right in it, and what a model says.

    Attributes:
        text: the text.
        gold: the right places; they do not overlap.
        predicted: the model's, likewise.
    """

    text: str
    gold: Sequence[Span]
    predicted: Sequence[Span]


def excerpt(marked: Marked, places: Sequence[Span], room: int) -> Marked:
    """Returns a text that has an ellipsis for what is far from some places.

    Args:
        marked: the text.
        places: what to show, of long ones both ends; none: the beginning.
        room: characters to show on both sides of each, give or take a word.
    """
    text = ""
    spans: tuple[list[Span], list[Span]] = ([], [])
    kept = _kept(marked.text, places or [Span(0, 0)], room)
    for start, end in kept:
        text += f"{_CUT} " if start and not text else ""
        shift = len(text) - start
        for own, others in zip(spans, marked[1:], strict=True):
            own += (
                Span(max(a, start) + shift, min(b, end) + shift, label)
                for a, b, label in others
                if max(a, start) < min(b, end)
            )
        text += marked.text[start:end]
        if end < len(marked.text):
            text += f" {_CUT}" if end == kept[-1][1] else f" {_CUT} "
    return Marked(text, *spans)


def _kept(text: str, places: Iterable[Span], room: int) -> list[list[int]]:
    """Returns the parts of a text that are near where places begin and end."""
    parts: list[list[int]] = []
    for edge in sorted({edge for place in places for edge in place[:2]}):
        start, end = (
            _cut_before(text, edge - room),
            _cut_after(text, edge + room),
        )
        if parts and start <= parts[-1][1]:
            parts[-1][1] = max(end, parts[-1][1])
        else:
            parts.append([start, end])
    return parts


def _cut_before(text: str, place: int) -> int:
    if place <= _NEAR:
        return 0
    space = text.rfind(" ", place - _NEAR, place)
    return place if space < 0 else space + 1


def _cut_after(text: str, place: int) -> int:
    if place >= len(text) - _NEAR:
        return len(text)
    space = text.find(" ", place, place + _NEAR)
    return place if space < 0 else space


def html(marked: Marked) -> str:
    """Returns a text with its marks as HTML; labels stand behind them."""
    edges = {0, len(marked.text)}
    for span in (*marked.gold, *marked.predicted):
        edges |= {span.start, span.end}
    places = sorted(edges)
    parts = [
        _segment(marked, start, end)
        for start, end in itertools.pairwise(places)
    ]
    return f'<bdi dir="auto">{"".join(parts)}</bdi>'


def _segment(marked: Marked, start: int, end: int) -> str:
    """Returns a part of a text in which no place begins or ends."""
    shown = escape(marked.text[start:end])
    kinds, labels = [], []
    for kind, spans in (("gold", marked.gold), ("predicted", marked.predicted)):
        for span in spans:
            if span.start <= start < span.end:
                kinds.append(kind)
                if span.end == end and span.label:
                    labels.append((kind, span.label))
    if not kinds:
        return shown
    if len(labels) == 2 and labels[0][1] == labels[1][1]:
        labels = [("", labels[0][1])]
    behind = "".join(
        f'<small class="{_COLOURS[kind]}">{escape(label)}</small>'
        for kind, label in labels
    )
    return f'<mark class="{" ".join(kinds)}">{shown}</mark>{behind}'


_COLOURS = {"gold": "good", "predicted": "bad", "": "muted"}
