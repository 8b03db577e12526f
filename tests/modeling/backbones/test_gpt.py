import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.backbones.choice import make_backbone
from bert.modeling.backbones.gpt import Gpt
from bert.modeling.config import read_config
from tests.conversion import gpt_folder
from tests.modeling.backbones.test_bert import (
    IDS,
    LAYER_NAMES,
    MASK,
    TINY,
    eager_and_graph,
    golden_arrays,
)

CONFIG = dataclasses.replace(TINY, encoder_type="gpt")
BIDIRECTIONAL = dataclasses.replace(CONFIG, attention_mask="bidirectional")


@pytest.fixture(scope="module")
def openai(tmp_path_factory, golden):
    """The model, its input, lengths, and what is right."""
    folder = gpt_folder.write(golden, tmp_path_factory.mktemp("gpt") / "model")
    model = make_backbone(read_config(folder / "bert_config.json"))
    report = checkpoint.load_weights(model, str(folder))
    assert report.fresh == report.unused == ()
    inputs = golden_arrays(golden / "gpt/inputs.npz")
    expected = golden_arrays(golden / "gpt/outputs.npz")
    return model, inputs["input_ids"], inputs["lengths"], expected


def stacked(outputs):
    layers = outputs["all_encoder_layers"]
    return np.stack([outputs["embedding_output"], *layers])


@eager_and_graph
def test_all_layers_are_openais(openai, how):
    model, ids, _, expected = openai
    outputs = how(model.__call__)(ids)
    difference = stacked(outputs) - expected["hidden_states"]
    assert np.max(np.abs(difference)) <= 1e-5


@eager_and_graph
def test_with_a_mask_the_row_is_its_last_tokens_vector(openai, how):
    model, ids, lengths, expected = openai
    is_real = np.arange(ids.shape[1]) < lengths[:, np.newaxis]
    outputs = how(model.__call__)(ids, input_mask=is_real.astype(np.int32))
    difference = stacked(outputs) - expected["hidden_states"]
    assert np.max(np.abs(difference[:, is_real])) <= 1e-5
    last = expected["last_hidden_state"][np.arange(len(ids)), lengths - 1]
    assert np.max(np.abs(outputs["pooled_output"] - last)) <= 1e-5


@pytest.mark.parametrize(
    "changes", [{"hidden_act": "gelu_erf"}, {"attention_mask": "bidirectional"}]
)
def test_another_activation_or_mask_misses_the_golden(openai, changes):
    model, ids, _, expected = openai
    other = Gpt(dataclasses.replace(model.config, **changes))
    for one, its in zip(other.variables, model.variables, strict=True):
        one.assign(its)
    difference = stacked(other(ids)) - expected["hidden_states"]
    assert np.max(np.abs(difference)) > 1e-4


def test_weights_bear_their_checkpoint_names():
    shapes = {v.path: list(v.shape) for v in Gpt(CONFIG).variables}
    assert set(shapes) == {
        "gpt/embeddings/word_embeddings",
        "gpt/embeddings/position_embeddings",
        *(
            f"gpt/encoder/layer_{i}/{name}"
            for i in (0, 1)
            for name in LAYER_NAMES
        ),
    }
    assert shapes["gpt/embeddings/position_embeddings"] == [6, 8]


@pytest.mark.parametrize("config", [CONFIG, BIDIRECTIONAL])
def test_a_token_sees_those_behind_it_in_both_directions_alone(config):
    model = Gpt(config, init_seed=1)
    one, two = (
        model(tf.constant([[1, 2, 3, last]]), with_attention=True)
        for last in (4, 5)
    )
    first = [x["sequence_output"][:, :3] for x in (one, two)]
    assert np.array_equal(*first) == config.is_causal
    for probs in one["attention_probs"]:
        above = probs.numpy()[..., ~np.tri(4, dtype=bool)]
        assert np.all(above == 0.0) == config.is_causal
        np.testing.assert_allclose(np.sum(probs, -1), 1.0, atol=1e-6)


@pytest.mark.parametrize("config", [CONFIG, BIDIRECTIONAL])
def test_the_row_is_its_last_token_whatever_is_chosen(config):
    model = Gpt(config, init_seed=1)
    alone, one, two = (
        model(IDS, input_mask=MASK, choose=choose)["pooled_output"]
        for choose in (None, lambda x: x[:, :1], lambda x: x[:, 1:3])
    )
    np.testing.assert_allclose(alone, one, atol=1e-6)
    np.testing.assert_allclose(alone, two, atol=1e-6)
    hidden = model(IDS, input_mask=MASK)["sequence_output"].numpy()
    np.testing.assert_array_equal(alone, hidden[[0, 1], [3, 1]])


def test_dropout_of_embeddings_is_on():
    config = dataclasses.replace(CONFIG, hidden_dropout_prob=0.5)
    embedded = Gpt(config, init_seed=1)(IDS, training=True, seed=[1, 2])
    dropped = tf.reduce_mean(
        tf.cast(embedded["embedding_output"] == 0.0, tf.float32)
    )
    assert 0.2 < dropped < 0.8


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            dataclasses.replace(CONFIG, attention_mask="both"),
            r"must be one of causal, bidirectional in a gpt\. .*'both'",
        ),
        (
            dataclasses.replace(TINY, attention_mask="causal"),
            r"attention_mask must be left out in a bert\. Received: 'causal'",
        ),
    ],
)
def test_a_mask_that_there_is_not_is_one_line(config, message):
    with pytest.raises(UserError, match=message):
        config.validate()
