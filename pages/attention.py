"""What the pieces of a text look at, as a part of a page.

A reader points at a piece, taps it or goes there by keyboard, and sees which
pieces it looks at, in a layer and head of choice; small pictures of all heads
show which are worth it. The numbers are in the page,
a byte each (0 to 255) in base64: 12 layers of 12 heads over 128 pieces take 3.1
MB. The page needs `STYLE`, and once `script()`.
"""

import base64
import itertools
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bert.pages.frame import escape, text

# Weights (layers * heads * S * S) that a page may hold: 11 MB.
MOST_WEIGHTS = 2**23
_SELECTED = " selected"

STYLE = """
.attention label { margin-inline-end: 1rem; }
.attention select { font: inherit; }
.pieces { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 1rem 0; }
.pieces button {
  position: relative; isolation: isolate; font: inherit; color: inherit;
  background: none; border: 1px solid var(--line); border-radius: 0.25rem;
  padding: 0.2rem 0.4rem; min-width: 1.5rem; cursor: pointer;
  max-width: 100%; overflow-wrap: anywhere;
}
.pieces button::before {
  content: ""; position: absolute; inset: 0; z-index: -1;
  background: var(--accent); opacity: calc(0.5 * var(--weight, 0));
}
.pieces button[aria-current="true"] {
  border-color: var(--ink); outline: 1px solid var(--ink);
}
.pieces button:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 1px;
}
.heads { position: relative; width: max-content; margin-top: 0.5rem; }
.heads canvas { display: block; cursor: pointer; }
.heads span {
  position: absolute; pointer-events: none; outline: 2px solid var(--ink);
}
.attention .bar { background: var(--accent); }
@media print { .attention label { display: none; } }
"""


def script() -> str:
    """Returns what makes all these parts of a page answer a reader."""
    file = Path(__file__).with_name("attention.js")
    return file.read_text(encoding="utf-8")


def most_pieces(layers: int, heads: int) -> int:
    """Returns how long a sequence may be that a page shows."""
    return int((MOST_WEIGHTS / (layers * heads)) ** 0.5)


def part(name: str, tokens: Sequence[str], probs: np.ndarray) -> str:
    """Returns the HTML of a sequence.

    Args:
        name: what it is called, for those who cannot see it; another one for
            each part of a page.
        tokens: its pieces, [S].
        probs: float32 [layers, heads, S, S], each from 0 to 1.
    """
    layers, heads = probs.shape[:2]
    # Only a NaN or less than 0 would wrap around, and there is none.
    numbers = np.rint(probs * 255).astype(np.uint8)
    weights = base64.b64encode(numbers.tobytes()).decode("ascii")
    buttons = "".join(
        f'<button type="button" tabindex="{-1 if number else 0}">'
        f"{text(token)}</button>\n"
        for number, token in enumerate(tokens)
    )
    return (
        f'<figure class="attention" data-layers="{layers}" '
        f'data-heads="{heads}" role="group" aria-label="{escape(name)}">\n'
        f"<p>{_select('Layer', layers, chosen=layers)}\n"
        f"{_select('Head', heads, first='mean of all')}</p>\n"
        f'<div class="pieces" dir="{direction(tokens)}">\n{buttons}</div>\n'
        '<p role="status"><noscript>This part of the page needs JavaScript.'
        "</noscript></p>\n"
        '<table class="answers"></table>\n'
        f'<script type="text/plain">{weights}</script>\n'
        '<div class="heads" aria-hidden="true"><canvas></canvas><span></span>'
        "</div>\n"
        "<figcaption>Point at a piece, tap it, or go there by the arrow keys. "
        "The stronger its colour, the more a piece is looked at. Layers and "
        "heads count from 1. Each square above is a head, in the row of its "
        "layer: who (down) looks at whom (across); choose one.</figcaption>\n"
        "</figure>"
    )


def direction(tokens: Sequence[str]) -> str:
    """Returns ltr or rtl, as the first letter of a text has it.

    Args:
        tokens: its pieces; [CLS] and its like say nothing.
    """
    words = (t for t in tokens if not (t.startswith("[") and t.endswith("]")))
    for letter in itertools.chain.from_iterable(words):
        kind = unicodedata.bidirectional(letter)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def _select(
    name: str, count: int, first: str | None = None, chosen: int = 0
) -> str:
    """Returns a choice of 1 to count, or of something else first (0)."""
    options = [f'<option value="0">{first}</option>'] * (first is not None)
    options += [
        f'<option value="{number}"{_SELECTED if number == chosen else ""}>'
        f"{number}</option>"
        for number in range(1, count + 1)
    ]
    return (
        f'<label>{name} <select name="{name.lower()}">{"".join(options)}'
        "</select></label>"
    )
