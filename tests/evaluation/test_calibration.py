import numpy as np
import pytest

from bert.evaluation.calibration import calibration


def test_probabilities_are_compared_with_what_came_true():
    found = calibration(
        np.array([0.0, 0.55, 0.58, 0.97, 1.0], np.float32),
        np.array([False, True, False, True, True]),
    )
    bins = found["bins"]
    assert [(own["from"], own["to"], own["rows"]) for own in bins] == [
        (0.0, 0.1, 1),
        (0.5, 0.6, 2),
        (0.9, 1.0, 2),
    ]
    assert [own["share"] for own in bins] == [0.0, 0.5, 1.0]
    stated = [0.0, 0.565, 0.985]
    assert [own["probability"] for own in bins] == pytest.approx(stated)
    assert found["error"] == pytest.approx((2 * 0.065 + 2 * 0.015) / 5)
    assert found["probability"] == pytest.approx(3.1 / 5)
    assert found["share"] == 3 / 5


def test_of_one_row_there_is_one_bin():
    found = calibration(np.array([0.3]), np.array([True]))
    assert len(found["bins"]) == 1
    assert found["error"] == pytest.approx(0.7)
