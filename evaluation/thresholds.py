"""What a threshold on probabilities does to precision and recall."""

from typing import Any

import numpy as np


def curve(gold: np.ndarray, probabilities: np.ndarray) -> list[dict[str, Any]]:
    """Returns figures of several labels by threshold, from 0.01 to 0.99.

    Args:
        gold: bool [n, L], which labels hold.
        probabilities: float32 [n, L]; a label is predicted from the threshold
            on.

    Returns:
        Of each `threshold`: `precision`, `recall` and `f1` of all labels of
        all rows together, and `macro_f1`, the mean over the labels that hold
        or are predicted somewhere; nan where there is nothing to divide by.
    """
    num_labels = gold.shape[1]
    thresholds = np.arange(1, 100) / 100
    # How many thresholds each probability reaches; from there all labels'
    # counts at once, whatever the number of rows.
    reached = np.searchsorted(
        thresholds.astype(np.float32), probabilities, side="right"
    )
    bins = len(thresholds) + 1
    places = reached + bins * np.arange(num_labels)

    def at_least(of: np.ndarray) -> np.ndarray:
        counts = np.bincount(of, minlength=bins * num_labels)
        counts = counts.reshape(num_labels, bins)
        return counts[:, ::-1].cumsum(axis=1)[:, -2::-1]  # [L, thresholds]

    right, taken = at_least(places[gold]), at_least(places.reshape(-1))
    support = gold.sum(axis=0)[:, None]
    all_right, all_taken = right.sum(axis=0), taken.sum(axis=0)
    macro = _ratio(2 * right, taken + support)
    is_there = np.isfinite(macro)
    columns = {
        "threshold": thresholds,
        "precision": _ratio(all_right, all_taken),
        "recall": _ratio(all_right, support.sum()),
        "f1": _ratio(2 * all_right, all_taken + support.sum()),
        "macro_f1": _ratio(
            np.where(is_there, macro, 0).sum(axis=0), is_there.sum(axis=0)
        ),
    }
    values = zip(*(own.tolist() for own in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def _ratio(count: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Returns nan where there is nothing to divide by."""
    with np.errstate(invalid="ignore"):
        return count / total
