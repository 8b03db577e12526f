"""Tokens that are computed for each real one, without running a model.

    python -m benchmarks.padding RUN/train.tf_record RUN/predict.tf_record

Of records that a run has written: their lengths stand beside them. Printed as a
Markdown table, for each file: by rows of a batch, in prediction and evaluation,
and in training with --length_buckets.
"""

import argparse
import itertools
import json
from collections.abc import Sequence

import numpy as np

_EPOCHS = 3
_BATCH_SIZES = (8, 32, 64)


def predicted(lengths: Sequence[int], batch_size: int) -> float:
    """Returns the tokens in prediction's batches for each real one."""
    from bert.data.records import batch_cuts, length_sorting

    tokens = 0
    window_size = length_sorting.window_size(batch_size)
    for start in range(0, len(lengths), window_size):
        window = sorted(lengths[start : start + window_size], reverse=True)
        starts = batch_cuts.starts(window, batch_size).tolist()
        for first, end in itertools.pairwise(starts):
            tokens += window[first] * (end - first)
    return tokens / sum(lengths)


def trained(lengths: Sequence[int], batch_size: int) -> float:
    """Returns the tokens in training's batches for each real one."""
    import tensorflow as tf

    from bert.data.records import length_sorting

    count = len(lengths)
    sizes = tf.constant(lengths, tf.int32)
    order = []
    for epoch in range(_EPOCHS):
        indices = tf.random.experimental.stateless_shuffle(
            tf.range(count), [1, epoch]
        )
        order += (
            length_sorting.group(
                indices,
                tf.gather(sizes, indices),
                batch_size,
                first=tf.constant(-epoch * count % batch_size, tf.int32),
                seed=tf.constant([1, epoch]),
            )
            .numpy()
            .tolist()
        )
    whole = len(order) - len(order) % batch_size
    batches = np.array(lengths)[order[:whole]].reshape(-1, batch_size)
    return float(batches.max(axis=1).sum() * batch_size / batches.sum())


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("files", nargs="+", help="files of records")
    args = parser.parse_args()
    columns = [
        f"{what}, {size} rows"
        for what in ("predicted", "trained")
        for size in _BATCH_SIZES
    ]
    print("|", " | ".join(["records", *columns]), "|")
    print("|---" * (1 + len(columns)) + "|")
    for path in args.files:
        with open(f"{path}.fingerprint") as file:
            lengths = json.load(file)["lengths"]
        found = [
            of(lengths, size)
            for of in (predicted, trained)
            for size in _BATCH_SIZES
        ]
        print("|", " | ".join([path, *(f"{x:.3f}" for x in found)]), "|")


if __name__ == "__main__":
    main()
