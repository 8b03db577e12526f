"""Rows by a number of theirs, such as their length, in bands of known bounds.

`bins` makes bounds of the rows.
"""

from collections.abc import Sequence

import numpy as np


def in_bands(
    numbers: Sequence[int] | np.ndarray, starts: Sequence[int]
) -> list[tuple[str, np.ndarray]]:
    """Returns which rows each band has; bands without one are left out.

    Args:
        numbers: of each row, at least the first of `starts`.
        starts: where each band begins, rising; the last one has no end.

    Returns:
        The band's name, such as 1, 2–4 or 5+, and its rows, in order.
    """
    bands = np.searchsorted(starts, np.asarray(numbers), side="right") - 1
    return [
        (_name(starts, band), np.flatnonzero(bands == band))
        for band in np.unique(bands).tolist()
    ]


def _name(starts: Sequence[int], band: int) -> str:
    if band + 1 == len(starts):
        return f"{starts[band]}+"
    first, last = starts[band], starts[band + 1] - 1
    return str(first) if first == last else f"{first}–{last}"
