"""Figures of predictions of one of several classes. n rows, L classes."""

from typing import Any

import numpy as np


def confusion(
    gold: np.ndarray, predicted: np.ndarray, num_classes: int
) -> np.ndarray:
    """Returns how many rows of each class were taken for each one.

    Args:
        gold: int [n], what is right.
        predicted: int [n].
        num_classes: L.

    Returns:
        int64 [L, L]: rows by what is right, columns by what was predicted.
    """
    pairs = gold.astype(np.int64) * num_classes + predicted
    counts = np.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def per_class(gold: np.ndarray, predicted: np.ndarray) -> list[dict[str, Any]]:
    """Returns the figures of each class.

    Args:
        gold: bool [n, L], whether a row is of a class.
        predicted: likewise.

    Returns:
        Of each class `support` (rows that are of it), `predicted` (rows that
        were taken for it), `right` (both), `precision`, `recall` and `f1`:
        None where there is nothing to divide by.
    """
    support, taken = gold.sum(axis=0), predicted.sum(axis=0)
    right = (gold & predicted).sum(axis=0)
    return [
        {
            "support": rows,
            "predicted": named,
            "right": both,
            "precision": both / named if named else None,
            "recall": both / rows if rows else None,
            "f1": 2 * both / (rows + named) if rows + named else None,
        }
        for rows, named, both in zip(
            support.tolist(), taken.tolist(), right.tolist(), strict=True
        )
    ]


def confused(matrix: np.ndarray, most: int = 20) -> list[dict[str, Any]]:
    """Returns the pairs of classes that are mixed up most often.

    Args:
        matrix: of `confusion`.
        most: how many pairs.

    Returns:
        The most frequent first: the numbers of the classes `gold` and
        `predicted`, the `rows` and which `share` of the rows of `gold`.
    """
    wrong = matrix * ~np.eye(len(matrix), dtype=bool)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    support = matrix.sum(axis=1)
    pairs = []
    for index in order.tolist():
        gold, predicted = divmod(index, len(matrix))
        if rows := int(wrong[gold, predicted]):
            pairs.append(
                {
                    "gold": gold,
                    "predicted": predicted,
                    "rows": rows,
                    "share": rows / int(support[gold]),
                }
            )
    return pairs


def interval(right: int, rows: int) -> tuple[float, float]:
    """Returns the 95% confidence interval of a share.

    Args:
        right: rows that count.
        rows: all, at least one; taken for a random sample of many more.

    Source: Wilson 1927.
    """
    z = 1.959964
    share, spread = right / rows, z**2 / rows
    middle = (share + spread / 2) / (1 + spread)
    half = (share * (1 - share) / rows + spread / rows / 4) ** 0.5
    half *= z / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
