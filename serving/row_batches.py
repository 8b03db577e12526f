"""Sequences of any length → batches of like length → results in their order.

For a handful of rows that wait for their answer, a tf.data pipeline costs
more than the model; so batches are made here, of NumPy arrays.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from bert.data.records import file_order, packing
from bert.data.records.packing import Packed

Arrays = Mapping[str, np.ndarray]


def results(
    rows: Sequence[Packed],
    batch_size: int,
    compute: Callable[
        [Sequence[int], Arrays], Mapping[str, Sequence | np.ndarray]
    ],
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what is computed of each row, in the order of the rows.

    Args:
        rows: the sequences.
        batch_size: rows that are computed together.
        compute: (numbers of a batch's rows; its input_ids, input_mask and
            segment_ids, int32 [B, S], S as of its longest) → values by name,
            one entry a row.
    """
    # The longest rows come first: memory that suffices for them suffices.
    order = sorted(
        range(len(rows)), key=lambda row: len(rows[row].ids), reverse=True
    )

    def batches():
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            own = [packing.pad(rows[n], len(rows[n].ids)) for n in numbers]
            values = compute(numbers, arrays(own))
            yield {**values, "row": np.array(numbers)}

    return file_order.in_file_order(batches())


def arrays(rows: Sequence[Mapping[str, Sequence[int]]]) -> Arrays:
    """Returns a batch, int32 [B, S] by name, S as of its longest row.

    Args:
        rows: of each, lists of one length by name; zeros fill them up.
    """
    length = max(len(row["input_ids"]) for row in rows)
    batch = {name: np.zeros([len(rows), length], np.int32) for name in rows[0]}
    for number, row in enumerate(rows):
        for name, values in row.items():
            batch[name][number, : len(values)] = values
    return batch
