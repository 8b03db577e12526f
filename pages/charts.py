"""Charts of Matplotlib as SVG inside a page.

Ink and lines take the page's colours (`frame.page`), so that a chart is light
or dark as its page is; its text is text, in the page's fonts, whatever script
it is in. Importing this imports Matplotlib: do so where a page is made.
"""

import io
import math
import re
import warnings
import zlib
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from bert.pages.frame import COLOURS, escape

# Matplotlib wants numbers, the page has names: these are replaced in the SVG.
INK, MUTED, LINE, GROUND = "#010101", "#020202", "#030303", "#fefefe"
_OF_PAGE = {INK: "ink", MUTED: "muted", LINE: "line", GROUND: "ground"}


def style() -> AbstractContextManager[None]:
    """Returns a context in which figures look as the pages do."""
    return matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "bert",  # else ids differ from run to run
            "font.family": "sans-serif",
            "font.size": 10,
            "text.color": INK,
            "axes.edgecolor": MUTED,
            "axes.facecolor": "none",
            "axes.axisbelow": True,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=COLOURS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "grid.color": LINE,
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "text.parse_math": False,  # a label may have two $
            "xtick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.color": MUTED,
            "ytick.labelcolor": INK,
        }
    )


def new_figure(width: float = 5.2, height: float = 3.2) -> Figure:
    """Returns an empty figure; to be drawn in within `style()`.

    Args:
        width: in inches of 72 points, that is 6.9 pixels a tenth.
        height: likewise.
    """
    return Figure(figsize=(width, height))


def numbers(values: Iterable[float | None]) -> list[float]:
    """Returns values to draw; None leaves a gap."""
    return [math.nan if value is None else value for value in values]


def mark(axes: Axes, name: str, values: Iterable[float]) -> None:
    """Draws lines from left to right, one for each of the values.

    Args:
        axes: of a chart with curves.
        name: what a legend calls all of them.
        values: where, on the y axis.
    """
    for number, value in enumerate(sorted({*values})):
        axes.axhline(
            value,
            color=MUTED,
            linestyle=(0, (5, 3)),
            linewidth=1.2,
            label="_" if number else name,
        )


def make_logarithmic(axes: Axes) -> None:
    """Makes the y axis logarithmic, with numbers as people write them."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.4)))


def shaded(shares: Sequence[Sequence[float]]) -> np.ndarray:
    """Returns a picture for `imshow`: of a colour, the stronger the larger.

    What is 0 is transparent, so that it looks well on any ground.

    Args:
        shares: from 0 to 1.
    """
    strength = np.asarray(shares, float)
    colour = np.array(matplotlib.colors.to_rgb(COLOURS[0]))
    picture = np.empty((*strength.shape, 4))
    picture[..., :3] = colour
    # So that a small share is seen, too.
    picture[..., 3] = np.sqrt(strength)
    return picture


def svg(figure: Figure, title: str) -> str:
    """Returns a figure as an `<svg>` element; equal ones are equal text.

    Args:
        figure: of `new_figure`.
        title: what it shows, for those who cannot see it; another one for
            each figure of a page.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(["Creator", "Date", "Format", "Type"])
    with style(), warnings.catch_warnings():
        # Of the font that it measures with; the reader's system has others.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(file, format="svg", metadata=nothing)
    picture = file.getvalue()
    picture = picture[picture.index("<svg") :].rstrip()
    # Inside a page its style would be the whole page's.
    picture = re.sub(
        r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*",
        "",
        picture,
        flags=re.DOTALL,
    )
    for colour, name in _OF_PAGE.items():
        picture = picture.replace(colour, f"var(--{name})")
    picture = re.sub(r"font-family: [^;\"]*", "font-family: inherit", picture)
    # An id is one of the whole page; most are used by nobody.
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]*)", picture))
    own = f"c{zlib.crc32((title + picture).encode()):08x}-"
    picture = re.sub(
        r' id="([^"]*)"',
        lambda found: f' id="{own}{found[1]}"' if found[1] in used else "",
        picture,
    )
    picture = re.sub(r"(url\(|href=\")#", rf"\1#{own}", picture)
    start = f'<svg role="img" aria-label="{escape(title)}"'
    return picture.replace("<svg", start, 1)
