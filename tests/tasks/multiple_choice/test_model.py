import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import BertConfig, checkpoint
from bert.tasks.multiple_choice.model import MultipleChoiceModel


@pytest.fixture
def model(golden):
    """The golden's: model_base with a head of its own."""
    config = BertConfig.from_json_file(
        str(golden / "model_base/bert_config.json")
    )
    model = MultipleChoiceModel(config)
    checkpoint.load_weights(model, str(golden / "model_base/bert_model.ckpt"))
    with np.load(golden / "multiple_choice/classifier.npz") as head:
        model.scorer.output_weights.assign(head["output_weights"])
        model.scorer.output_bias.assign(head["output_bias"])
    return model


def load(golden, name):
    with np.load(golden / f"multiple_choice/{name}.npz") as values:
        return {key: tf.constant(value) for key, value in values.items()}


def test_scores_and_losses_are_those_of_the_golden(golden, model):
    inputs = load(golden, "inputs")
    batch = {**inputs, "label_ids": inputs["labels"]}
    expected = load(golden, "outputs")
    outputs = model(batch)
    losses = model.losses(outputs, batch)["multiple_choice"]
    for found, name in (
        (outputs["logits"], "logits"),
        (losses, "per_example_loss"),
        (tf.reduce_mean(losses), "loss"),
    ):
        np.testing.assert_allclose(found, expected[name], rtol=0, atol=1e-5)


def test_a_choice_that_is_not_there_has_no_part(golden, model):
    batch = load(golden, "inputs")
    names = ("input_ids", "input_mask", "segment_ids")
    padded = {
        name: tf.pad(batch[name], [[0, 0], [0, 2], [0, 0]]) for name in names
    }
    found = tf.nn.softmax(model(padded)["logits"]).numpy()
    alone = tf.nn.softmax(model(batch)["logits"]).numpy()
    np.testing.assert_allclose(found[:, :3], alone, rtol=0, atol=1e-6)
    assert (found[:, 3:] == 0).all()


def test_a_head_is_named_as_a_classifiers(model):
    names = checkpoint.named_variables(model)
    assert tuple(names["output_weights"].shape) == (1, 32)
    assert tuple(names["output_bias"].shape) == (1,)
    assert sum(not name.startswith("bert/") for name in names) == 2
