import math

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import losses

LOGITS = tf.constant([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])


def log_softmax(row, label):
    return row[label] - math.log(sum(math.exp(x) for x in row))


def test_cross_entropy_is_minus_the_log_probability_of_the_label():
    expected = [
        -log_softmax([1.0, 2.0, 0.5], 2),
        -log_softmax([0.0, -1.0, 3.0], 0),
    ]
    np.testing.assert_allclose(
        losses.cross_entropy(LOGITS, tf.constant([2, 0])), expected, rtol=1e-6
    )


def test_labels_may_come_as_a_column():
    np.testing.assert_array_equal(
        losses.cross_entropy(LOGITS, tf.constant([[2], [0]], tf.int64)),
        losses.cross_entropy(LOGITS, tf.constant([2, 0])),
    )


def test_cross_entropy_of_bfloat16_logits_is_float32():
    logits = tf.cast(LOGITS, tf.bfloat16)
    assert losses.cross_entropy(logits, [1, 1]).dtype == tf.float32


def test_cross_entropy_of_huge_logits_is_finite():
    found = losses.cross_entropy(tf.constant([[1e4, -1e4]]), [1])
    np.testing.assert_allclose(found, [2e4])


def test_a_masked_span_loss_is_that_of_the_tokens_alone():
    mask = [[1, 1, 0], [1, 1, 1]]
    found = losses.span_cross_entropy(LOGITS, -LOGITS, [1, 0], [0, 1], mask)
    short = losses.span_cross_entropy(
        LOGITS[:, :2], -LOGITS[:, :2], [1, 0], [0, 1]
    )
    whole = losses.span_cross_entropy(LOGITS, -LOGITS, [1, 0], [0, 1])
    assert found[0] == short[0] != whole[0]
    assert found[1] == whole[1]


def test_span_loss_is_the_mean_of_start_and_end():
    found = losses.span_cross_entropy(LOGITS, -LOGITS, [2, 0], [[1], [1]])
    expected = 0.5 * (
        losses.cross_entropy(LOGITS, [2, 0])
        + losses.cross_entropy(-LOGITS, [1, 1])
    )
    np.testing.assert_allclose(found, expected)


def test_a_position_outside_of_the_sequence_is_an_error():
    with pytest.raises(tf.errors.InvalidArgumentError):
        losses.span_cross_entropy(LOGITS, LOGITS, [3, 0], [0, 0])


def test_squared_error_is_the_distance_squared():
    found = losses.squared_error(
        tf.constant([[1.0], [3.0]]), tf.constant([0.5, 5.0])
    )
    np.testing.assert_allclose(found, [0.25, 4.0])


def test_sigmoid_cross_entropy_is_the_mean_over_labels_and_weights_hits():
    def log_sigmoid(x):
        return -math.log(1 + math.exp(-x))

    found = losses.sigmoid_cross_entropy(
        LOGITS[:1], tf.constant([[1, 0, 1]]), tf.constant([1.0, 1.0, 4.0])
    )
    expected = -(log_sigmoid(1.0) + log_sigmoid(-2.0) + 4 * log_sigmoid(0.5))
    np.testing.assert_allclose(found, [expected / 3], rtol=1e-6)
