import numpy as np

from bert.evaluation.bins import by_quantile


def test_bins_have_about_as_many_rows_each():
    keys = np.array([5, 1, 4, 2, 3, 9, 8, 7, 6, 10])
    found = by_quantile(keys, {"right": keys > 2})
    assert [(own["from"], own["to"], own["rows"]) for own in found] == [
        (1, 2, 2),
        (3, 4, 2),
        (5, 6, 2),
        (7, 8, 2),
        (9, 10, 2),
    ]
    assert [own["right"] for own in found] == [0.0, 1.0, 1.0, 1.0, 1.0]


def test_rows_with_the_same_key_are_in_the_same_bin():
    keys = np.array([3, 3, 3, 3, 3, 3, 3, 128, 3, 7])
    found = by_quantile(keys, {"value": np.arange(10.0)})
    assert [(own["from"], own["to"], own["rows"]) for own in found] == [
        (3, 3, 8),
        (7, 128, 2),
    ]
    assert found[1]["value"] == 8.0


def test_one_row_is_one_bin():
    (only,) = by_quantile(np.array([2]), {})
    assert only == {"from": 2, "to": 2, "rows": 1}
