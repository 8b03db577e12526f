import numpy as np
import tensorflow as tf

from bert.training.gradient_norm import GradientNorm


def test_rows_of_one_id_count_before_they_are_added_up():
    rows = tf.IndexedSlices(
        tf.constant([[3.0], [4.0]]), tf.constant([1, 1]), tf.constant([2, 1])
    )
    norms = GradientNorm()
    dense, rows_square = norms.densify([rows, tf.constant([12.0])])

    np.testing.assert_array_equal(dense[0], [[0.0], [7.0]])
    assert float(norms.of(dense, rows_square)) == 13.0
