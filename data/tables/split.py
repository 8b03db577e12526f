"""Rows → parts, in which every label has its share.

Rows of equal texts go to one part: a text to evaluate on that was trained on
would flatter the figures. Imports neither TensorFlow nor NumPy.
"""

import bisect
import collections
import math
import random
from collections.abc import Collection, Mapping, Sequence

# Numbers are taken for as many labels at most.
_MOST_BINS = 10


def parts(
    labels: Sequence[Collection[str]],
    texts: Sequence[str],
    shares: Sequence[float],
    seed: int,
) -> list[int]:
    """Returns the part that each row belongs to.

    Labels are dealt out one after the other, those of the fewest texts first,
    so that a row with several counts for its rarest. A label of two texts or
    more is in two parts at least, where the other labels of its rows allow it;
    rows of a label of a single text are in part 0.

    Args:
        labels: those of each row, any number.
        texts: of the rows; see `same_text`.
        shares: of all rows that each part is to have; their sum is 1. Part 0
            may have 0.
        seed: decides which of the rows with a label; on every machine alike.

    Source: Sechidis et al. 2011, "On the stratification of multi-label data"
    (order and shares of labels).
    """
    groups = _Groups(labels, texts, seed)
    places = _dealt(groups, shares)
    _spread(groups, places, shares)
    found = [0] * len(texts)
    for rows, part in zip(groups.rows, places, strict=True):
        for row in rows:
            found[row] = part
    return found


def same_text(*texts: str) -> str:
    """Returns what texts have in common that differ in case and spaces only.

    Args:
        *texts: of one row, such as a pair's.
    """
    return "\n".join(" ".join(text.split()).casefold() for text in texts)


def bins(numbers: Sequence[float], share: float) -> list[list[str]]:
    """Returns labels for numbers: in which part of their order they are.

    Args:
        numbers: equal ones get one label.
        share: of the rows, that a part is to have; each label has enough rows
            for one in it.
    """
    ranked = sorted(numbers)
    count = max(1, min(_MOST_BINS, int(len(ranked) * share)))
    return [
        [str(bisect.bisect_left(ranked, number) * count // len(ranked))]
        for number in numbers
    ]


class _Groups:
    """Rows of equal texts, large groups first, else in random order.

    Args:
        labels: see `parts`.
        texts: see there.
        seed: of the order.

    Attributes:
        rows: those of each group.
        labels: those of each group's rows; "" where they have none.
        having: the groups with each label; those of the fewest groups first.
    """

    def __init__(
        self,
        labels: Sequence[Collection[str]],
        texts: Sequence[str],
        seed: int,
    ):
        by_text: dict[str, list[int]] = {}
        for row, text in enumerate(texts):
            by_text.setdefault(text, []).append(row)
        self.rows = list(by_text.values())
        random.Random(seed).shuffle(self.rows)
        self.rows.sort(key=len, reverse=True)
        self.labels = [
            sorted({name for row in rows for name in labels[row] or [""]})
            for rows in self.rows
        ]
        having: dict[str, list[int]] = collections.defaultdict(list)
        for group, own in enumerate(self.labels):
            for name in own:
                having[name].append(group)
        self.having: Mapping[str, list[int]] = dict(
            sorted(having.items(), key=lambda item: (len(item[1]), item[0]))
        )


def _dealt(groups: _Groups, shares: Sequence[float]) -> list[int]:
    """Returns the part of each group, by the shares of labels and of all."""
    places: list[int | None] = [None] * len(groups.rows)
    due = [0.0] * len(shares)
    wanted = {name: _wanted(groups, name, shares) for name in groups.having}
    for name, having in groups.having.items():
        waiting = [group for group in having if places[group] is None]
        size = sum(len(groups.rows[group]) for group in waiting)
        due = [x + share * size for x, share in zip(due, shares, strict=True)]
        for group in waiting:
            # What is left of the whole numbers goes where most is due.
            part = max(
                range(len(shares)),
                key=lambda i: (max(wanted[name][i], 0), due[i]),
            )
            if len(having) == 1:
                part = 0
            places[group] = part
            due[part] -= len(groups.rows[group])
            for own in groups.labels[group]:
                wanted[own][part] -= len(groups.rows[group])
    return [part or 0 for part in places]


def _wanted(groups: _Groups, name: str, shares: Sequence[float]) -> list[int]:
    """Returns how many rows of a label each part is to have at least."""
    size = sum(len(groups.rows[group]) for group in groups.having[name])
    return [max(math.floor(share * size), int(share > 0)) for share in shares]


def _spread(
    groups: _Groups, places: list[int], shares: Sequence[float]
) -> None:
    """Moves the smallest group it can of a label that one part alone has."""
    for having in groups.having.values():
        part = places[having[0]]
        if len(having) < 2 or any(places[group] != part for group in having):
            continue
        sizes = collections.Counter(places)
        others = [i for i, share in enumerate(shares) if share and i != part]
        target = min(others, key=lambda i: sizes[i] / shares[i])
        for group in reversed(having):
            # No other label of its rows may lose this part by it.
            if all(
                any(places[g] == part for g in groups.having[own] if g != group)
                for own in groups.labels[group]
            ):
                places[group] = target
                break
