import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import BertConfig, classification

CONFIG = BertConfig(
    vocab_size=11,
    hidden_size=4,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=4,
    max_position_embeddings=4,
    type_vocab_size=2,
)
LOGITS = tf.constant([[2.0, -1.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    ("kind", "num_outputs", "loss"),
    [
        ("classification", 3, "classification"),
        ("multi_label", 3, "multi_label"),
        ("regression", 1, "regression"),
    ],
)
def test_each_kind_has_its_model(kind, num_outputs, loss):
    model = classification.make_model(kind, CONFIG, num_outputs)
    ones = tf.ones([2, 3], tf.int32)
    batch = {"input_ids": ones, "input_mask": ones, "segment_ids": ones * 0}
    assert model(batch)["logits"].shape == (2, num_outputs)
    assert list(model.loss_weights({**batch, "label_ids": ones[:, 0]})) == [
        loss
    ]


def test_label_weights_are_for_training_alone():
    model = classification.make_model("multi_label", CONFIG, 2, [5.0, 7.0])
    batch = {"label_ids": tf.constant([[1, 0], [0, 1]])}
    found = classification.evaluated("multi_label", {"logits": LOGITS}, batch)
    by_hand = np.log1p(np.exp([[-2.0, -1.0], [0.0, -3.0]])).mean(axis=1)
    np.testing.assert_allclose(found["loss"], by_hand, rtol=1e-6)
    trained = model.losses({"logits": LOGITS}, batch)["multi_label"]
    assert (trained.numpy() > found["loss"].numpy()).all()


def test_the_losses_of_classes_and_numbers():
    found = classification.evaluated(
        "classification",
        {"logits": LOGITS},
        {"label_ids": tf.constant([[0], [0]])},
    )
    by_hand = [np.log1p(np.exp(-3)), np.log1p(np.exp(3))]
    np.testing.assert_allclose(found["loss"], by_hand, rtol=1e-6)
    found = classification.evaluated(
        "regression",
        {"logits": LOGITS[:, :1]},
        {"label_ids": tf.constant([[1.5], [2.0]])},
    )
    np.testing.assert_allclose(found["loss"], [0.25, 4.0])


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("classification", [1 / (1 + np.exp(-3)), 1 / (1 + np.exp(3))]),
        ("multi_label", [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(1))]),
        ("regression", [2, -1]),
    ],
)
def test_predictions_are_probabilities_or_the_number(kind, first):
    found = classification.predicted(kind, {"logits": LOGITS}, {})
    np.testing.assert_allclose(found["values"][0], first, rtol=1e-6)
