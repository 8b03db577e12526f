import numpy as np
import tensorflow as tf

from bert.modeling.classifiers import (
    ClassifierModel,
    MultiLabelModel,
    RegressionModel,
)
from tests.modeling.backbones.test_bert import DROPPING, TINY
from tests.modeling.test_heads import BATCH, make, total_loss


def test_classifier_leaves_out_rows_that_only_fill_the_batch():
    model = make(ClassifierModel)
    filled = {**BATCH, "is_real_example": tf.constant([[1], [0]])}
    (weight,) = model.loss_weights(filled).values()
    np.testing.assert_array_equal(weight.weights, [1.0, 0.0])
    first = {name: x[:1] for name, x in BATCH.items()}
    np.testing.assert_allclose(
        total_loss(model, filled), total_loss(model, first), rtol=1e-5
    )


def test_classifier_drops_a_tenth_whatever_the_config_says():
    def differs(**kwargs):
        model = make(ClassifierModel, **kwargs)
        logits = model(BATCH)["logits"].numpy()
        seeds = range(10)
        return [
            np.any(logits != model(BATCH, training=True, seed=[1, s])["logits"])
            for s in seeds
        ]

    # 16 numbers are dropped from; all are kept with chance 0.19.
    assert 3 <= sum(differs()) <= 10
    assert not any(differs(dropout_rate=0.0))
    assert make(ClassifierModel).dropout_rate == 0.1


def test_classifier_dropout_is_not_the_encoders():
    model = make(ClassifierModel, DROPPING, dropout_rate=0.0)
    seeds = {"training": True, "seed": [1, 2]}
    assert np.any(model(BATCH)["logits"] != model(BATCH, **seeds)["logits"])


def test_label_weights_are_of_the_rows_own_label():
    batch = {**BATCH, "label_ids": tf.constant([2, 0])}
    model = make(ClassifierModel, label_weights=[1.0, 2.0, 5.0])
    (weight,) = model.loss_weights(batch).values()
    np.testing.assert_array_equal(weight.weights, [5.0, 1.0])


def test_regression_learns_from_floats():
    model = RegressionModel(TINY, 1, init_seed=1)
    batch = {**BATCH, "label_ids": tf.constant([[0.5], [2.5]])}
    values = model(batch)["logits"]
    assert values.shape == (2, 1)
    np.testing.assert_allclose(
        model.losses({"logits": values}, batch)["regression"],
        (values[:, 0] - [0.5, 2.5]) ** 2,
    )


def test_multi_label_learns_each_label_by_itself():
    model = MultiLabelModel(TINY, num_labels=3, init_seed=1)
    batch = {**BATCH, "label_ids": tf.constant([[0, 0, 0], [1, 0, 1]])}
    logits = model(batch)["logits"]
    expected = tf.nn.sigmoid_cross_entropy_with_logits(
        tf.cast(batch["label_ids"], tf.float32), logits
    )
    np.testing.assert_allclose(
        model.losses({"logits": logits}, batch)["multi_label"],
        tf.reduce_mean(expected, axis=1),
        rtol=1e-6,
    )
