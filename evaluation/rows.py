"""What a model says of each row of a file → arrays and mean losses."""

from collections.abc import Iterable, Mapping

import numpy as np


def stacked(rows: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Returns arrays [n, ...] for n rows of arrays [...] of the same names."""
    columns: dict[str, list[np.ndarray]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in columns.items()}


def loss_figures(losses: np.ndarray, batch_size: int) -> dict[str, np.float32]:
    """Returns `eval_loss`, the mean over the rows, and `loss`.

    The latter is the original's: the mean over batches of their mean loss.

    Args:
        losses: float [n], of each row, in the order of the file.
        batch_size: rows of a batch; the last one may be shorter.
    """
    losses = np.asarray(losses, np.float64)
    starts = range(0, len(losses), batch_size)
    means = [losses[i : i + batch_size].mean() for i in starts]
    return {
        "eval_loss": np.float32(losses.mean()),
        "loss": np.float32(np.mean(means)),
    }
