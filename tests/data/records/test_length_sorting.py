import numpy as np
import pytest
import tensorflow as tf

from bert.data.records import file_order, length_sorting

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
        rows = list(file_order.in_file_order(sorted_rows))
        assert [int(row["label_ids"][0]) for row in rows] == [
            10 * r for r in range(7)
        ]
        assert [int(row["input_mask"].sum()) for row in rows] == LENGTHS


@pytest.mark.parametrize("size", [3, 7])
def test_equal_rows_of_a_window_come_once(size):
    ids = np.array([[1, 2], [3, 0], [1, 2], [1, 2], [3, 0], [3, 0], [1, 2]])
    shares = np.array([1, 1, 1, 2, 1, 1, 1], np.float32) / 10
    rows = {
        "input_ids": ids.astype(np.int32),
        "input_mask": np.minimum(ids, 1),  # int64
        "share": shares,
    }
    found = list(
        length_sorting.sorted_batches(
            tf.data.Dataset.from_tensor_slices(rows).batch(size),
            2,
            per_token={"input_ids", "input_mask"},
            least_work=True,
        ).as_numpy_iterator()
    )
    if size == 7:
        assert [each["row"].tolist() for each in found] == [
            [[0, 2, 6], [3, -1, -1]],
            [[1, 4, 5]],
        ]
        assert [each["input_ids"].shape for each in found] == [(2, 2), (1, 1)]
    else:
        assert sum(len(each["row"]) for each in found) == 2 + 2 + 1
    back = list(file_order.in_file_order(found))
    assert [int(row["input_ids"][0]) for row in back] == ids[:, 0].tolist()
    assert [row["share"] for row in back] == shares.tolist()


@pytest.mark.parametrize("least_work", [False, True])
def test_a_batch_may_end_where_padding_would_cost_more(least_work):
    mask = np.zeros([6, 200], np.int32)
    for row, length in enumerate((9, 200, 8, 199, 198, 7)):
        mask[row, :length] = 1
    found = length_sorting.sorted_batches(
        tf.data.Dataset.from_tensors({"input_mask": mask}),
        4,
        per_token={"input_mask"},
        least_work=least_work,
    )
    shapes = [each["input_mask"].shape for each in found.as_numpy_iterator()]
    expected = {False: [(4, 200), (2, 8)], True: [(3, 200), (3, 9)]}
    assert shapes == expected[least_work]


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


def group(lengths, batch_size, first=0, seed=(1, 2)):
    count = len(lengths)
    return length_sorting.group(
        tf.range(count), tf.constant(lengths), batch_size, first, list(seed)
    ).numpy()


def test_grouped_rows_come_once_in_batches_of_like_length():
    lengths = [4, 1, 3, 2, 4, 1, 3, 2, 9, 9]
    order = group(lengths, 2, first=1)
    assert sorted(order) == list(range(10))
    # One row of the batch before, one that a later epoch completes.
    assert (order[0], order[-1]) == (0, 9)
    found = sorted(
        tuple(sorted(lengths[i] for i in order[j : j + 2]))
        for j in range(1, 9, 2)
    )
    assert found == [(1, 1), (2, 2), (3, 3), (4, 9)]


def test_grouped_batches_are_in_random_order():
    lengths = list(range(40))
    orders = [group(lengths, 2, seed=(1, s)) // 2 for s in range(2)]
    assert list(orders[0]) != sorted(orders[0])
    assert list(orders[0]) != list(orders[1])


def test_only_rows_within_50_batches_are_sorted_together():
    lengths = np.random.default_rng(1).permutation(400).astype(np.int32)
    order = group(lengths, 2)
    windows = order.reshape(-1, 2) // 100
    assert (windows[:, 0] == windows[:, 1]).all()


@pytest.mark.parametrize("first", [0, 2, 5])
def test_fewer_rows_than_a_batch_stay_as_they_are(first):
    assert list(group([3, 1, 2], 5, first=first)) == [0, 1, 2]


def test_of_several_sequences_a_row_the_longest_decides():
    mask = np.zeros([2, 3, 6], np.int32)
    mask[0, 1, :4] = mask[0, 2, :1] = mask[1, 0, :2] = 1
    assert length_sorting.lengths(mask).numpy().tolist() == [4, 2]
    batch = {"input_mask": mask, "label_ids": np.ones([2, 6], np.int32)}
    found = length_sorting.cut(batch, {"input_mask"})
    assert found["input_mask"].shape == (2, 3, 4)
    assert found["label_ids"].shape == (2, 6)
