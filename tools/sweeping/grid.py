"""A grid of flags' values: its points, their names, and what they came to."""

import dataclasses
import itertools
import re
import statistics
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bert.errors import UserError

_EXAMPLE = "'learning_rate=2e-5,3e-5;train_batch_size=16,32'"
# A name is a folder's: what it may have, and how long it may be.
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_MOST_OF_A_VALUE = 40
_MOST_OF_A_NAME = 200

# The values of a point, by flag, as they were given.
Point = Mapping[str, str]


def parse(text: str) -> dict[str, list[str]]:
    """Returns the values of each flag of a grid.

    Args:
        text: "flag=value,value;flag=value".

    Raises:
        UserError: it has another form, or a flag or value twice.
    """
    found: dict[str, list[str]] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, sign, values = part.partition("=")
        name = name.strip().lstrip("-")
        found_values = [value.strip() for value in values.split(",")]
        if not sign or not name or "" in found_values:
            raise _fault(f"{part!r}, which is not flag=value,value")
        if name in found:
            raise _fault(f"the flag {name} twice")
        if len({*found_values}) < len(found_values):
            raise _fault(f"a value of {name} twice")
        found[name] = found_values
    if text and not found:
        raise _fault(f"{text!r}, which names none")
    return found


def _fault(what: str) -> UserError:
    return UserError(
        f"Expected --grid as {_EXAMPLE}: flags with the values to try. "
        f"Received: {what}."
    )


def points(grid: Mapping[str, Sequence[str]]) -> Iterator[Point]:
    """Yields all points of a grid, the last flag's values first."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def name(point: Point) -> str:
    """Returns a name for a folder: readable, safe, another for each point."""
    text = "_".join(f"{k}={_safe(value)}" for k, value in point.items())
    return _cut(text, _MOST_OF_A_NAME)


def _safe(value: str) -> str:
    safe = _UNSAFE.sub("-", value)
    if safe == value:
        return _cut(value, _MOST_OF_A_VALUE)
    return f"{safe[:_MOST_OF_A_VALUE]}-{_mark(value)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}-{_mark(text)}"


def _mark(text: str) -> str:
    """Returns what tells texts apart of which a name shows too little."""
    return f"{zlib.crc32(text.encode('utf-8', 'surrogateescape')):08x}"


@dataclasses.dataclass(frozen=True)
class Summary:
    """What the runs of a point came to.

    Attributes:
        point: the values of its flags.
        figures: of its runs with one, in their order.
        runs: how many there are.
    """

    point: Point
    figures: Sequence[float]
    runs: int

    @property
    def mean(self) -> float:
        """The mean of its figures; NaN where there is none."""
        return statistics.fmean(self.figures) if self.figures else float("nan")

    @property
    def spread(self) -> float | None:
        """Their standard deviation, of a sample; None for fewer than two."""
        return statistics.stdev(self.figures) if len(self.figures) > 1 else None


def ranked(summaries: Iterable[Summary], less_is_better: bool) -> list[Summary]:
    """Returns points in order, the best mean first; those without one last."""
    sign = 1 if less_is_better else -1
    return sorted(
        summaries, key=lambda s: (not s.figures, s.figures and sign * s.mean)
    )


def table(summaries: Sequence[Summary], figure: str) -> list[str]:
    """Returns the lines of a table of points, in their order.

    Args:
        summaries: the points; at least one.
        figure: what the mean is of.
    """
    flags = list(summaries[0].point)
    rows = [[*flags, figure, "spread", "n", "failed"]]
    for each in summaries:
        spread = each.spread
        rows.append(
            [
                *each.point.values(),
                f"{each.mean:.5g}" if each.figures else "-",
                "-" if spread is None else f"{spread:.2g}",
                str(len(each.figures)),
                str(each.runs - len(each.figures)),
            ]
        )
    if all(row[-1] == "0" for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)
        )
        for row in rows
    ]
