"""Models in Keras' files, and made again of their configuration."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert import modeling
from bert.tasks.multiple_choice.model import MultipleChoiceModel
from tests.modeling.backbones.encoders import every_encoder
from tests.modeling.backbones.test_bert import DROPPING, IDS, TINY
from tests.modeling.test_heads import BATCH

MODELS = {
    modeling.BertModel: {"init_seed": 4},
    modeling.ClassifierModel: {
        "num_labels": 3,
        "label_weights": [1.0, 2.0, 5.0],
    },
    modeling.MultiLabelModel: {"num_labels": 3, "dropout_rate": 0.3},
    modeling.RegressionModel: {"num_labels": 1},
    modeling.PretrainingModel: {"compute_dtype": "bfloat16"},
    modeling.SpanModel: {},
    modeling.TokenModel: {"num_labels": 5},
    MultipleChoiceModel: {"dropout_rate": 0.2},
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_is_made_again_of_its_config(kind):
    model = kind(DROPPING, **MODELS[kind])
    config = json.loads(json.dumps(model.get_config()))
    again = kind.from_config(config)

    assert again.get_config() == model.get_config()
    assert {k: config[k] for k in MODELS[kind]} == MODELS[kind]
    assert config["config"] == DROPPING.to_dict()
    for one, two in zip(model.weights, again.weights, strict=True):
        assert (one.path, one.shape) == (two.path, two.shape)
        assert one.trainable == two.trainable


def test_what_is_frozen_stays_frozen():
    model = modeling.ClassifierModel(TINY, num_labels=2)
    model.backbone.freeze(1)
    again = type(model).from_config(model.get_config())
    trained = [w.path for w in model.trainable_weights]
    assert 0 < len(trained) < len(model.weights)
    assert [w.path for w in again.trainable_weights] == trained


def test_what_comes_back_frozen_can_be_trained():
    model = modeling.SpanModel(TINY)
    model.backbone.trainable = False
    model = type(model).from_config(model.get_config())
    assert len(model.trainable_weights) == 2
    model.backbone.trainable = True
    assert len(model.trainable_weights) == len(model.weights)


@pytest.mark.parametrize("kind", [modeling.ClassifierModel, modeling.SpanModel])
def test_keras_files_and_weights_come_back(kind, tmp_path):
    layer = kind(DROPPING, **MODELS[kind])
    layer.backbone.trainable = False
    model = layer.keras_model()
    inputs = {name: BATCH[name] for name in layer.inputs}
    expected = tf.nest.flatten(model(inputs))

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    other = kind(DROPPING, **MODELS[kind]).keras_model()
    other.load_weights(tmp_path / "model.weights.h5")
    for again in (loaded, other):
        for one, two in zip(
            tf.nest.flatten(again(inputs)), expected, strict=True
        ):
            np.testing.assert_array_equal(one, two)
    assert len(loaded.trainable_weights) == 2


@every_encoder
def test_every_encoder_comes_back_from_a_keras_file(config, tmp_path):
    model = modeling.SpanModel(config).keras_model()
    inputs = {name: BATCH[name] for name in modeling.SpanModel.inputs}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, two in zip(
        tf.nest.flatten(loaded(inputs)),
        tf.nest.flatten(model(inputs)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """The kind of model that a user writes."""

    def __init__(self, encoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.dense = keras.layers.Dense(2)

    def call(self, ids):
        return self.dense(self.encoder(ids)["pooled_output"])

    def get_config(self):
        config = keras.saving.serialize_keras_object(self.encoder)
        return {"encoder": config}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["encoder"]))


def test_a_subclassed_model_is_fitted_and_saved(tmp_path):
    model = Subclassed(modeling.BertModel(DROPPING))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, metrics=["accuracy"])
    labels = np.array([0, 1])
    before = model.predict(IDS, verbose=0)
    model.fit(IDS, labels, epochs=2, verbose=0)
    after = model.predict(IDS, verbose=0)
    assert np.any(before != after)
    assert len(model.evaluate(IDS, labels, verbose=0)) == 2

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(IDS, verbose=0), after)
    assert [w.path for w in loaded.encoder.weights] == [
        w.path for w in model.encoder.weights
    ]
