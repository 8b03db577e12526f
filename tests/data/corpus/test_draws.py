import random

import pytest

from bert.data.corpus.draws import shuffle


@pytest.mark.parametrize("size", [*range(20), 31, 32, 33, 125, 1000, 4097])
def test_shuffle_is_random_shuffle(size):
    """The same order and the same state, so that what follows is the same."""
    for seed in range(3):
        rng, expected_rng = random.Random(seed), random.Random(seed)
        items, expected = list(range(size)), list(range(size))

        shuffle(items, rng)
        expected_rng.shuffle(expected)

        assert items == expected
        assert rng.getstate() == expected_rng.getstate()
