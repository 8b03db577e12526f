"""What was computed in another order comes back in that of the rows.

Imports without TensorFlow, unlike `length_sorting`, which sorts them.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np


def in_file_order(
    results: Iterable[Mapping[str, np.ndarray]],
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what was computed for each row, in the order of the rows.

    Args:
        results: what was computed from each batch, with the batch's `row`:
            which row of all each one is, from 0; -1: none; int [B], or
            [B, K] of what up to K equal rows share. Arrays of one entry a
            row of the batch.
    """
    waiting: dict[int, dict[str, np.ndarray]] = {}
    following = 0
    for result in results:
        own = result["row"]
        for index, rows in enumerate(own.reshape(len(own), -1).tolist()):
            for row in rows:
                if row >= 0:
                    waiting[row] = {
                        name: values[index]
                        for name, values in result.items()
                        if name != "row"
                    }
        while following in waiting:
            yield waiting.pop(following)
            following += 1
