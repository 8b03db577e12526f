import numpy as np

from bert.data.records.packing import Packed
from bert.serving import row_batches

ROWS = [
    Packed(list(range(1, 1 + length)), min(length, 2))
    for length in (3, 1, 5, 2, 4)
]


def test_results_come_in_the_order_of_the_rows():
    shapes = []

    def compute(numbers, inputs):
        shapes.append(inputs["input_ids"].shape)
        assert {own.dtype for own in inputs.values()} == {np.dtype("int32")}
        for row, number in enumerate(numbers):
            ids, first_length = ROWS[number]
            length = len(ids)
            assert inputs["input_ids"][row, :length].tolist() == ids
            assert inputs["input_mask"][row].sum() == length
            assert inputs["segment_ids"][row].sum() == length - first_length
        return {
            "sum": inputs["input_ids"].sum(axis=1),
            "number": list(numbers),
        }

    found = list(row_batches.results(ROWS, 2, compute))
    assert [row["number"] for row in found] == [0, 1, 2, 3, 4]
    assert [row["sum"] for row in found] == [6, 1, 15, 3, 10]
    # The longest first, and no longer than they must be.
    assert shapes == [(2, 5), (2, 3), (1, 1)]


def test_no_rows_have_no_results():
    assert list(row_batches.results([], 2, lambda *_: {})) == []


def test_equal_rows_are_computed_once():
    def compute(numbers, inputs):
        computed.extend(numbers)
        return {"sum": inputs["input_ids"].sum(axis=1)}

    rows = [ROWS[n] for n in (1, 0, 1, 4, 0, 1)]
    rows.append(rows[1]._replace(first_length=1))  # another segment
    computed: list[int] = []
    found = list(row_batches.results(rows, 2, compute))
    assert [row["sum"] for row in found] == [1, 6, 1, 10, 6, 1, 6]
    assert computed == [3, 1, 6, 0]

    computed.clear()
    beside = [0, 0, 0, 0, 0, 1, 0]
    assert len(list(row_batches.results(rows, 2, compute, beside))) == 7
    assert computed == [3, 1, 6, 0, 5]
