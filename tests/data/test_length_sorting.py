import numpy as np
import pytest
import tensorflow as tf

from data import length_sorting

LENGTHS = [3, 1, 5, 2, 4, 4, 1]


def windows(size):
    """Rows of LENGTHS tokens in windows: token t of row r is 10 r + t."""
    mask = np.array([[1] * n + [0] * (6 - n) for n in LENGTHS], np.int32)
    ids = mask * (10 * np.arange(7)[:, None] + np.arange(6)).astype(np.int32)
    rows = {"input_ids": ids, "input_mask": mask, "label_ids": ids[:, :1]}
    return tf.data.Dataset.from_tensor_slices(rows).batch(size)


def batches(size, batch_size, **kwargs):
    return list(
        length_sorting.sorted_batches(
            windows(size),
            batch_size,
            per_token={"input_ids", "input_mask"},
            **kwargs,
        ).as_numpy_iterator()
    )


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 9])
@pytest.mark.parametrize("size", [3, 7, 100])
def test_every_row_comes_back_once_and_in_order(size, batch_size):
    for fixed_shapes in (False, True):
        sorted_rows = batches(size, batch_size, fixed_shapes=fixed_shapes)
        rows = list(length_sorting.in_file_order(sorted_rows))
        assert [int(row["label_ids"][0]) for row in rows] == [
            10 * r for r in range(7)
        ]
        assert [int(row["input_mask"].sum()) for row in rows] == LENGTHS


def test_batches_are_of_like_length_and_as_wide_as_the_longest():
    found = [
        (batch["input_mask"].sum(axis=1).tolist(), batch["input_ids"].shape)
        for batch in batches(7, 3)
    ]
    assert found == [([5, 4, 4], (3, 5)), ([3, 2, 1], (3, 3)), ([1], (1, 1))]


def test_fixed_shapes_fill_the_last_batch_of_a_window_with_zeros():
    *_, last = batches(100, 3, fixed_shapes=True)
    assert last["input_ids"].shape == (3, 6)
    assert last["row"].tolist() == [6, -1, -1]
    assert not last["input_mask"][1:].any()


def test_a_mask_with_holes_is_cut_after_its_last_token():
    batch = {
        "input_mask": tf.constant([[1, 0, 1, 0], [0, 0, 0, 0]]),
        "other": tf.zeros([2, 4]),
    }
    cut = length_sorting.cut(batch, {"input_mask"})
    assert cut["input_mask"].numpy().tolist() == [[1, 0, 1], [0, 0, 0]]
    assert cut["other"].shape == (2, 4)


def test_windows_are_whole_batches():
    assert length_sorting.window_size(32) == 8192
    assert length_sorting.window_size(3) == 8190
    assert length_sorting.window_size(100_000) == 100_000
