import math
from collections import Counter

import pytest

from benchmarks import own_language


def test_the_figures_of_a_unigram_model():
    learnt = Counter({7: 6, 8: 3})
    asked = Counter({7: 2, 8: 1, 9: 1})

    accuracy, loss = own_language.unigram(learnt, asked)

    assert accuracy == 0.5
    # 9 was never masked: it counts as if it had been once.
    expected = 2 * math.log(0.6) + math.log(0.3) + math.log(0.1)
    assert loss == pytest.approx(-expected / 4)


def test_fills_are_compared_mask_by_mask():
    def fill(*pairs):
        return [{"token": token, "probability": p} for token, p in pairs]

    ours = [[fill(("der", 0.5), ("die", 0.3))], [fill(("das", 0.9))]]
    peers = [[fill(("der", 0.5), ("dem", 0.29))], [fill(("das", 0.88))]]

    same, difference = own_language.compared(ours, peers)

    assert same == 1
    assert difference == pytest.approx(0.02)
