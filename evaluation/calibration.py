"""Whether probabilities are what they say."""

from typing import Any

import numpy as np


def calibration(
    probabilities: np.ndarray, came_true: np.ndarray, num_bins: int = 10
) -> dict[str, Any]:
    """Compares probabilities with how often they came true.

    Args:
        probabilities: float [n], 0 to 1; n at least 1.
        came_true: bool [n].
        num_bins: bins of the same width.

    Returns:
        `error`, the expected calibration error: by how much they differ, as
        the mean over the rows of what their bin differs by; `probability` and
        `share`, their means over all rows; `bins`, of each with rows: `from`,
        `to`, `rows`, `probability` and `share`.

    Source: Guo et al. 2017, section 2.
    """
    values = probabilities.astype(np.float64)
    numbers = np.minimum((values * num_bins).astype(int), num_bins - 1)
    bins = []
    for number in np.unique(numbers).tolist():
        own = numbers == number
        bins.append(
            {
                "from": number / num_bins,
                "to": (number + 1) / num_bins,
                "rows": int(own.sum()),
                "probability": float(values[own].mean()),
                "share": float(came_true[own].mean()),
            }
        )
    error = sum(b["rows"] * abs(b["share"] - b["probability"]) for b in bins)
    return {
        "error": error / len(values),
        "probability": float(values.mean()),
        "share": float(came_true.mean()),
        "bins": bins,
    }
