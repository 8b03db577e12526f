import numpy as np
import pytest
from sklearn import metrics

from bert.evaluation import thresholds


def test_figures_by_threshold_are_scikit_learns():
    random = np.random.default_rng(1)
    probabilities = random.random((40, 3), np.float32)
    probabilities[0] = 0.5
    gold = random.random((40, 3)) < probabilities
    found = thresholds.curve(gold, probabilities)
    assert [own["threshold"] for own in found] == [
        i / 100 for i in range(1, 100)
    ]
    for row in (found[19], found[49], found[79]):
        predicted = probabilities >= np.float32(row["threshold"])
        micro = metrics.precision_recall_fscore_support(
            gold, predicted, average="micro"
        )
        own = [row["precision"], row["recall"], row["f1"]]
        assert own == pytest.approx(micro[:3])
        macro = metrics.f1_score(gold, predicted, average="macro")
        assert row["macro_f1"] == pytest.approx(macro)


def test_what_is_not_defined_is_nan():
    found = thresholds.curve(
        np.zeros((2, 1), bool), np.full((2, 1), 0.5, np.float32)
    )
    assert found[49]["precision"] == found[49]["macro_f1"] == 0.0
    assert np.isnan(found[50]["precision"])
    assert np.isnan(found[50]["macro_f1"])
    assert np.isnan(found[0]["recall"])
