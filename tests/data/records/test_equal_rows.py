import numpy as np

from bert.data.records import equal_rows


def test_places_are_those_of_each_key_in_order():
    assert equal_rows.places("abcab") == [[0, 3], [1, 4], [2]]
    assert equal_rows.places([]) == []


def test_rows_are_equal_where_all_columns_are():
    ids = np.array([[1, 2], [3, 4], [1, 2], [1, 2], [3, 4]], np.int32)
    shares = np.array([0.5, 0.5, 0.5, 0.25, 0.5], np.float32)
    assert equal_rows.numbers(ids, shares).tolist() == [0, 1, 0, 2, 1]
    assert equal_rows.numbers(ids).tolist() == [0, 1, 0, 0, 1]
    # Columns may have any shape, and strides of their own.
    cube = np.stack([ids, ids[::-1]], axis=-1)[:, ::-1]
    assert equal_rows.numbers(cube).tolist() == [0, 1, 2, 0, 1]
    assert equal_rows.numbers(ids[:0]).tolist() == []
