import numpy as np
import tensorflow as tf

from bert.modeling.pooling import POOLINGS

MASK = tf.constant([[1, 1, 1], [1, 1, 0], [0, 0, 0]])
# [B, L, S, D] with numbers below zero, so that padding could win a maximum.
VALUES = -1 - tf.random.stateless_uniform([3, 2, 3, 4], seed=[1, 2])


def pooled(name, mask=MASK):
    return POOLINGS[name](VALUES, mask).numpy()


def test_cls_is_the_first_token():
    np.testing.assert_array_equal(pooled("cls"), VALUES[:, :, 0])


def test_mean_and_maximum_are_over_real_tokens():
    for name, function in (("mean", np.mean), ("max", np.max)):
        for row, length in ((0, 3), (1, 2)):
            np.testing.assert_allclose(
                pooled(name)[row],
                function(VALUES[row, :, :length].numpy(), axis=1),
                rtol=1e-6,
            )


def test_rows_without_tokens_stay_finite():
    assert np.all(np.isfinite(pooled("mean")))
    assert np.all(np.isfinite(pooled("max")))
