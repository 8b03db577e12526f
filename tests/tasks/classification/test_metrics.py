import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bert.tasks.classification import metrics

ALL = tuple(metrics.METRICS)


def logits(*predicted, num_labels=2):
    return np.eye(num_labels, dtype=np.float32)[list(predicted)]


def test_two_labels_by_hand():
    # 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
    true = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
    figures = metrics.single_label(
        logits(1, 1, 1, 1, 0, 0, 0, 0, 0, 0), true, ALL
    )
    assert figures["eval_accuracy"] == pytest.approx(0.7)
    assert figures["f1"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert figures["matthews_correlation"] == pytest.approx(
        (3 * 4 - 1 * 2) / np.sqrt(4 * 5 * 5 * 6)
    )
    assert figures["macro_f1"] == pytest.approx((6 / 9 + 8 / 11) / 2)
    assert all(isinstance(value, np.float32) for value in figures.values())


def test_three_labels_by_hand():
    figures = metrics.single_label(
        logits(0, 1, 2, 2, num_labels=3),
        np.array([[0], [1], [2], [1]]),
        ["matthews_correlation", "macro_f1"],
    )
    # R_k: (c s - sum p t) / sqrt((s² - sum p²) (s² - sum t²))
    expected = (3 * 4 - 5) / np.sqrt((16 - 6) * (16 - 6))
    assert figures["matthews_correlation"] == pytest.approx(expected)
    assert figures["macro_f1"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)


@pytest.mark.parametrize("true", [[0, 0, 0], [1, 1, 1], [0, 1, 0]])
@pytest.mark.parametrize("predicted", [[0, 0, 0], [1, 1, 1]])
def test_what_is_not_defined_is_0_without_a_warning(true, predicted):
    figures = metrics.single_label(logits(*predicted), np.array(true), ALL)
    assert figures["matthews_correlation"] == 0
    assert np.isfinite(list(figures.values())).all()


def test_several_labels_by_hand():
    true = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]])
    predicted = np.float32([[2, -1, -1], [1, -1, -3], [0, -1, -1]])
    figures = metrics.multi_label(predicted, true)
    assert figures["eval_accuracy"] == pytest.approx(1 / 3)
    # a: 2 right, 1 too many; b: 1 missed; c: never.
    assert figures["micro_f1"] == pytest.approx(4 / 6)
    assert figures["macro_f1"] == pytest.approx((4 / 5 + 0 + 0) / 3)


def test_one_label_that_may_hold_or_not():
    figures = metrics.multi_label(
        np.float32([[1], [1], [-1]]), np.array([[1], [0], [0]])
    )
    assert figures["eval_accuracy"] == pytest.approx(2 / 3)
    assert figures["micro_f1"] == figures["macro_f1"] == pytest.approx(2 / 3)


def test_numbers_by_hand():
    figures = metrics.regression(
        np.float32([[1], [2], [9]]), np.array([[0.0], [2], [3]])
    )
    assert figures["mean_squared_error"] == pytest.approx((1 + 0 + 36) / 3)
    assert figures["spearman"] == pytest.approx(1)
    x, y = np.array([-3, -2, 5]), np.array([-5, 1, 4]) / 3
    assert figures["pearson"] == pytest.approx(
        x @ y / np.sqrt((x @ x) * (y @ y))
    )


@pytest.mark.parametrize(
    ("values", "true"),
    [
        ([0.1, 0.1, 0.1], [1, 2, 3]),
        ([1, 2, 3], [0.1, 0.1, 0.1]),
        ([0, 0, 0], [0, 0, 0]),
        ([5], [5]),
    ],
)
def test_the_correlation_with_a_constant_is_0(values, true):
    figures = metrics.regression(np.float32(values), np.float32(true))
    assert figures["pearson"] == figures["spearman"] == 0


def test_values_that_are_not_finite_have_no_correlation():
    figures = metrics.regression(
        np.float32([[1], [np.nan], [np.inf]]), np.arange(3.0)
    )
    assert np.isnan(list(figures.values())).all()


def test_other_sets_figures_have_the_sets_name():
    figures = metrics.joined(
        {
            "": {"eval_accuracy": 1, "loss": 2},
            "mismatched": {"eval_accuracy": 3, "eval_loss": 4, "loss": 5},
        }
    )
    assert figures == {
        "eval_accuracy": 1,
        "loss": 2,
        "mismatched_accuracy": 3,
        "mismatched_loss": 4,
    }


def test_a_plain_accuracy_needs_neither_scikit_learn_nor_scipy():
    code = (
        "import sys, numpy as np;"
        "from bert.tasks.classification import metrics;"
        "metrics.single_label(np.eye(2), np.arange(2));"
        "sys.exit(any(n in sys.modules for n in ('sklearn', 'scipy')))"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
