"""Where rows that are sorted by length are cut into batches; in NumPy alone.

A batch is as wide as its longest row. Six rows, at most four a batch, with dots
for padding; full batches, and what `starts` makes of them:

    xxxxxxxxx                xxxxxxxxx
    xxxxxxxxx                xxxxxxxxx
    xxxxxxxx.                xxxxxxxx.
    xxx......                            xxx
                 xxx                     xxx
                 xx.                     xx.
"""

from collections.abc import Sequence

import numpy as np

# Padding for each real token that is not worth the search.
_ENOUGH = 0.03
# What another batch costs, in tokens.
_BATCH_TOKENS = 64


def starts(lengths: Sequence[int] | np.ndarray, batch_size: int) -> np.ndarray:
    """Returns where batches begin, so that little padding is in them.

    Full batches where these have next to none. Else those that cost least,
    some of which are smaller.

    Args:
        lengths: int [N], of the rows, the longest first.
        batch_size: rows of a batch at most.

    Returns:
        int64 [batches + 1]: the first row of each batch, and N.
    """
    sizes = np.asarray(lengths, np.int64)
    count = len(sizes)
    all_full = full(sizes, batch_size)
    tokens = np.sum(sizes[all_full[:-1]] * np.diff(all_full))
    padding = tokens - np.sum(sizes)
    if padding <= max(_ENOUGH * np.sum(sizes), _BATCH_TOKENS):
        return all_full
    # What the first rows cost in their best batches, and where the last of
    # these begins.
    costs = np.zeros(count + 1, np.int64)
    begins = np.zeros(count + 1, np.int64)
    for end in range(1, count + 1):
        first = np.arange(max(0, end - batch_size), end)
        own = costs[first] + sizes[first] * (end - first) + _BATCH_TOKENS
        best = np.argmin(own)
        costs[end], begins[end] = own[best], first[best]
    found = [count]
    while found[-1]:
        found.append(begins[found[-1]])
    return np.array(found[::-1])


def full(lengths: Sequence[int] | np.ndarray, batch_size: int) -> np.ndarray:
    """Returns where batches begin that are full but for the last; as above."""
    return np.append(np.arange(0, len(lengths), batch_size), len(lengths))
