"""Figures of rows in bins: by their length, by how frequent something is."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def by_quantile(
    keys: np.ndarray, values: Mapping[str, np.ndarray], num_bins: int = 5
) -> list[dict[str, Any]]:
    """Returns the means of rows in bins of about as many rows each.

    Args:
        keys: int or float [n], what the rows are sorted by; n at least 1.
            Rows with the same key are in the same bin.
        values: numbers or bools [n] by name.
        num_bins: how many bins at most.

    Returns:
        Of each bin `from` and `to` (the keys of its first and last row),
        `rows`, and the mean of each of the values by its name.
    """
    cuts = np.quantile(keys, np.arange(1, num_bins) / num_bins, method="lower")
    numbers = np.searchsorted(np.unique(cuts), keys, side="left")
    found = []
    for number in np.unique(numbers).tolist():
        own = numbers == number
        found.append(
            {
                "from": keys[own].min(),
                "to": keys[own].max(),
                "rows": int(own.sum()),
                **{k: float(v[own].mean()) for k, v in values.items()},
            }
        )
    return found
