import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling.classifiers import (
    ClassifierModel,
    MultiLabelModel,
    RegressionModel,
)
from tests.modeling.backbones.test_bert import DROPPING, IDS, MASK, TINY
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


# Two texts of three and one window, of four pieces each.
WINDOWS = {
    "input_ids": tf.reshape(tf.range(24) % 19, [2, 3, 4]),
    "input_mask": tf.constant(
        [
            [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]],
            [[1, 1, 1, 0]] + [[0] * 4] * 2,
        ]
    ),
    "segment_ids": tf.zeros([2, 3, 4], tf.int32),
    "label_ids": tf.constant([[1], [2]]),
}


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("shape", [None, [2, 3, 4]])
def test_windows_learn_by_the_loss_of_their_pooled_logits(pooling, shape):
    model = make(ClassifierModel, window_pooling=pooling)
    spec = {
        name: tf.TensorSpec(shape or [None] * len(x.shape), x.dtype)
        if name != "label_ids"
        else tf.TensorSpec(x.shape, x.dtype)
        for name, x in WINDOWS.items()
    }

    @tf.function(input_signature=[spec])
    def gradients(batch):
        with tf.GradientTape() as tape:
            (loss,) = model.losses(model(batch), batch).values()
            loss = tf.reduce_sum(loss)
        return loss, tape.gradient(loss, model.trainable_variables)

    def by_hand():
        with tf.GradientTape() as tape:
            loss = 0.0
            for text, count in enumerate((3, 1)):
                rows = [
                    model({k: x[text, i : i + 1] for k, x in WINDOWS.items()})
                    for i in range(count)
                ]
                logits = tf.concat([row["logits"] for row in rows], 0)
                pool = {"mean": tf.reduce_mean, "max": tf.reduce_max}[pooling]
                label = WINDOWS["label_ids"][text, 0]
                loss -= tf.nn.log_softmax(pool(logits, 0))[label]
        return loss, tape.gradient(loss, model.trainable_variables)

    (loss, found), (expected_loss, expected) = gradients(WINDOWS), by_hand()
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-6)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-6
        )


@pytest.mark.parametrize("kind", [MultiLabelModel, RegressionModel])
def test_windows_are_pooled_in_every_kind(kind):
    model = kind(TINY, 1, init_seed=1)
    pooled = model(WINDOWS)["logits"]
    rows = model({k: x[0] for k, x in WINDOWS.items() if k in model.inputs})
    assert pooled.shape == (2, 1)
    np.testing.assert_allclose(
        pooled[0], tf.reduce_mean(rows["logits"], 0), rtol=1e-6
    )
    labels = tf.constant([[0.0], [1.0]])
    (loss,) = model.losses({"logits": pooled}, {"label_ids": labels}).values()
    assert loss.shape == (2,)


GPT = dataclasses.replace(TINY, encoder_type="gpt")


def test_the_language_model_tells_each_next_token():
    model = make(ClassifierModel, GPT, lm_loss_weight=0.5, dropout_rate=0.0)
    batch = {**BATCH, "input_ids": IDS, "input_mask": MASK}
    outputs = model(batch, training=True)
    hidden = model.backbone(IDS, input_mask=MASK)["sequence_output"]
    table = model.backbone.word_table.numpy()
    scores = np.log(tf.nn.softmax(hidden.numpy() @ table.T, axis=-1).numpy())
    # Row 0 has three next tokens, row 1 has one; the rows count alike.
    rows = [
        -np.mean([scores[0, i, IDS[0, i + 1]] for i in range(3)]),
        -scores[1, 0, IDS[1, 1]],
    ]
    weights = model.loss_weights(batch)["language_model"]
    found = model.losses(outputs, batch)["language_model"]
    total = tf.reduce_sum(weights.weights * found)
    np.testing.assert_allclose(tf.reduce_sum(weights.weights), 2.0, rtol=1e-6)
    np.testing.assert_allclose(total, 0.5 * np.sum(rows), rtol=1e-5)
    # It changes nothing else, and is for training alone.
    plain = make(ClassifierModel, GPT, dropout_rate=0.0)
    assert set(model(batch)) == set(plain(batch, training=True)) == {"logits"}
    np.testing.assert_allclose(
        outputs["logits"], plain(batch)["logits"], atol=1e-6
    )


def test_rows_that_fill_up_are_no_text_to_the_language_model():
    model = make(ClassifierModel, GPT, lm_loss_weight=0.5)
    batch = {
        **BATCH,
        "input_ids": IDS,
        "input_mask": tf.constant([[1, 1, 1, 1], [0, 0, 0, 0]]),
        "is_real_example": tf.constant([1, 0]),
    }
    weights = model.loss_weights(batch)["language_model"].weights
    np.testing.assert_allclose(weights, [1 / 3] * 3 + [0.0] * 3, rtol=1e-6)


@pytest.mark.parametrize(
    "config", [TINY, dataclasses.replace(GPT, attention_mask="bidirectional")]
)
def test_a_language_model_that_sees_the_next_token_is_refused(config):
    with pytest.raises(UserError, match=r"lm_loss_weight needs .* causal\. R"):
        ClassifierModel(config, 2, lm_loss_weight=0.5)
