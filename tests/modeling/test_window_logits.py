import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import window_logits

LOGITS = tf.constant([[[1.0, -4.0], [3.0, -2.0]], [[5.0, -7.0], [0.0, 0.0]]])
THERE = tf.constant([[True, True], [True, False]])


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [("mean", [[2, -3], [5, -7]]), ("max", [[3, -2], [5, -7]])],
)
def test_a_text_has_the_logits_of_its_windows(pooling, expected):
    found = window_logits.POOLINGS[pooling](LOGITS, THERE)
    np.testing.assert_array_equal(found, np.float32(expected))


def test_the_first_window_is_always_there():
    mask = tf.constant([[[1, 0], [0, 0]], [[0, 0], [1, 1]], [[0, 0], [0, 0]]])
    np.testing.assert_array_equal(
        window_logits.is_there(mask), [[1, 0], [1, 1], [1, 0]]
    )


@pytest.mark.parametrize(
    ("shape", "computed"), [([2, 2, 3], 4), ([None, 2, None], 3)]
)
def test_only_windows_that_there_are_get_computed(shape, computed):
    rows = []

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.int32)])
    def logits_of(ids):
        def sums(batch):
            rows.append(tf.shape(batch["input_ids"])[0])
            values = tf.cast(batch["input_ids"], tf.float32)
            return tf.reduce_sum(values, 1, keepdims=True)

        found = window_logits.of_texts({"input_ids": ids}, THERE, sums)
        return found, rows[-1]

    ids = tf.reshape(tf.range(12), [2, 2, 3])
    found, count = logits_of(ids)
    assert count == computed
    means = window_logits.mean(found, THERE)
    np.testing.assert_array_equal(means, [[(3 + 12) / 2], [21]])
