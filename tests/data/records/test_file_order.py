import numpy as np

from bert.data.records import file_order


def test_rows_come_in_their_order_as_soon_as_those_before_are_there():
    read = []

    def results():
        for rows in ([2, 0], [1, -1], [3]):
            read.append(rows)
            yield {"row": np.array(rows), "value": np.array(rows) * 10}

    ordered = file_order.in_file_order(results())
    assert next(ordered) == {"value": 0}
    assert read == [[2, 0]]
    assert [row["value"] for row in ordered] == [10, 20, 30]


def test_equal_rows_share_what_was_computed():
    results = [
        {"row": np.array([[1, -1], [0, 3]]), "value": np.array([7, 8])},
        {"row": np.array([[2]]), "value": np.array([9])},
    ]
    rows = file_order.in_file_order(results)
    assert [row["value"] for row in rows] == [8, 7, 9, 8]
