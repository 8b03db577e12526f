import itertools

import numpy as np
import pytest

from bert.data.records import batch_cuts


def tokens(lengths, starts):
    return sum(lengths[a] * (b - a) for a, b in itertools.pairwise(starts))


@pytest.mark.parametrize("lengths", [[], [5], [0, 0], [9] * 7, [100, 99, 98]])
def test_batches_without_much_padding_are_full(lengths):
    found = batch_cuts.starts(lengths, 3)
    assert found.tolist() == [*range(0, len(lengths), 3), len(lengths)]


def test_a_batch_ends_where_its_padding_costs_more_than_another_batch():
    lengths = [300, 300, 100, 100, 90, 2]
    assert batch_cuts.starts(lengths, 4).tolist() == [0, 2, 5, 6]
    # Of short rows the padding is cheaper.
    assert batch_cuts.starts([30, 10, 1], 4).tolist() == [0, 3]
    # As many batches as full ones would be, but others.
    lengths = [90, 90, 80, 30, 30, 20]
    assert batch_cuts.starts(lengths, 4).tolist() == [0, 3, 6]


def test_no_cuts_cost_less():
    rng = np.random.default_rng(1)
    all_cuts = [
        cuts
        for size in range(1, 8)
        for inner in itertools.combinations(range(1, 8), size)
        if max(np.diff(cuts := (0, *inner, 8))) <= 3
    ]
    for _ in range(20):
        lengths = sorted(rng.integers(1, 400, 8).tolist(), reverse=True)
        found = tuple(batch_cuts.starts(lengths, 3).tolist())
        assert found in all_cuts
        best = min(tokens(lengths, c) + 64 * (len(c) - 1) for c in all_cuts)
        if tokens(lengths, (0, 3, 6, 8)) > 1.03 * sum(lengths):
            assert tokens(lengths, found) + 64 * (len(found) - 1) == best


@pytest.mark.parametrize("batch_size", [8, 32, 64])
def test_texts_of_all_lengths_leave_little_padding(batch_size):
    rng = np.random.default_rng(2)
    lengths = np.sort(np.clip(rng.normal(53, 17, 1000), 15, 128)).astype(int)
    lengths = lengths[::-1].tolist()
    found = batch_cuts.starts(lengths, batch_size).tolist()
    assert tokens(lengths, found) <= 1.03 * sum(lengths)
    assert len(found) <= 1.7 * 1000 / batch_size
