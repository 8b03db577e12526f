"""Rows by a number of theirs, such as their length."""

import bisect
from collections.abc import Sequence


def in_bands(
    numbers: Sequence[int], starts: Sequence[int]
) -> list[tuple[str, list[int]]]:
    """Returns which rows each band has; bands without one are left out.

    Args:
        numbers: of each row, at least the first of `starts`.
        starts: where each band begins, rising; the last one has no end.

    Returns:
        The band's name, such as 1, 2–4 or 5+, and its rows, in order.
    """
    rows: list[list[int]] = [[] for _ in starts]
    for row, number in enumerate(numbers):
        rows[bisect.bisect_right(starts, number) - 1].append(row)
    ends = [str(start - 1) for start in starts[1:]]
    names = [
        str(start) if end == str(start) else f"{start}–{end}"
        for start, end in zip(starts, ends, strict=False)
    ]
    names.append(f"{starts[-1]}+")
    return [(name, own) for name, own in zip(names, rows, strict=True) if own]
