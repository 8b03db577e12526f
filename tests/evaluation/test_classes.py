import numpy as np
import pytest
from sklearn import metrics

from bert.evaluation import classes

GOLD = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 0, 1])


def test_a_confusion_matrix_counts_rows_by_what_is_right():
    matrix = classes.confusion(GOLD, PREDICTED, 4)
    assert matrix.tolist() == [
        [1, 2, 0, 0],
        [1, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
    ]


def test_figures_of_a_class_are_scikit_learns_and_none_if_undefined():
    numbers = np.arange(4)
    found = classes.per_class(
        GOLD[:, None] == numbers, PREDICTED[:, None] == numbers
    )
    expected = metrics.precision_recall_fscore_support(
        GOLD, PREDICTED, labels=numbers, zero_division=np.nan
    )
    for name, column in zip(
        ("precision", "recall", "f1", "support"), expected, strict=True
    ):
        own = [np.nan if row[name] is None else row[name] for row in found]
        np.testing.assert_allclose(own, column)
    assert found[3] == {
        **{"support": 0, "predicted": 0, "right": 0},
        **{"precision": None, "recall": None, "f1": None},
    }
    assert [row["predicted"] for row in found] == [2, 4, 0, 0]


def test_the_pairs_that_are_mixed_up_most_come_first():
    matrix = classes.confusion(GOLD, PREDICTED, 3)
    found = classes.confused(matrix, most=2)
    assert found == [
        {"gold": 0, "predicted": 1, "rows": 2, "share": 2 / 3},
        {"gold": 1, "predicted": 0, "rows": 1, "share": 1 / 2},
    ]
    assert classes.confused(np.diag([3, 4])) == []


def test_a_share_of_few_rows_may_be_quite_another():
    # Newcombe 1998, table I.
    assert classes.interval(81, 263) == pytest.approx(
        (0.2553, 0.3662), abs=1e-4
    )
    assert classes.interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert classes.interval(1, 1) == pytest.approx((0.2065, 1.0), abs=1e-4)
