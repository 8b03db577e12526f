"""Sequences of any length → batches of like length → results in their order.

For a handful of rows that wait for their answer, a tf.data pipeline costs
more than the model; so batches are made here, of NumPy arrays.
"""

import itertools
from collections.abc import (
    Callable,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)

import numpy as np

from bert.data.records import batch_cuts, equal_rows, file_order, packing
from bert.data.records.packing import Packed

Arrays = Mapping[str, np.ndarray]


def results(
    rows: Sequence[Packed],
    batch_size: int,
    compute: Callable[
        [Sequence[int], Arrays], Mapping[str, Sequence | np.ndarray]
    ],
    beside: Sequence[Hashable] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what is computed of each row, in the order of the rows.

    Equal rows are computed once.

    Args:
        rows: the sequences.
        batch_size: rows that are computed together at most.
        compute: (numbers of a batch's rows; its input_ids, input_mask and
            segment_ids, int32 [B, S], S as of its longest) → values by name,
            one entry a row.
        beside: of each row, what its values depend on beside the sequence;
            None: nothing.
    """
    keys = ((tuple(row.ids), row.first_length) for row in rows)
    # The longest rows come first: memory that suffices for them suffices.
    groups = sorted(
        equal_rows.places(zip(keys, beside, strict=True) if beside else keys),
        key=lambda own: len(rows[own[0]].ids),
        reverse=True,
    )

    def batches():
        lengths = [len(rows[first].ids) for first, *_ in groups]
        starts = batch_cuts.starts(lengths, batch_size).tolist()
        for start, end in itertools.pairwise(starts):
            own = groups[start:end]
            numbers = [first for first, *_ in own]
            padded = [packing.pad(rows[n], len(rows[n].ids)) for n in numbers]
            values = compute(numbers, arrays(padded))
            most = max(map(len, own))
            places = [places + [-1] * (most - len(places)) for places in own]
            yield {**values, "row": np.array(places)}

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
