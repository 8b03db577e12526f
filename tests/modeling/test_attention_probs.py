import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import BertConfig, BertModel, attention_probs, checkpoint
from bert.modeling.transformer import MASKED_SCORE

TINY = BertConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=512,
    type_vocab_size=2,
    initializer_range=0.5,
)
IDS = tf.constant([[1, 2, 3, 4], [5, 6, 0, 0]])
MASK = tf.constant([[1, 1, 1, 1], [1, 1, 0, 0]])
# In a graph some operations are others: see `modeling.onednn_fusion`.
eager_and_graph = pytest.mark.parametrize(
    "how", [lambda function: function, tf.function], ids=["eager", "graph"]
)


def in_numpy(weights, num_heads, hidden, mask, layer):
    """A layer's probabilities, float64 [B, N, S, S], of its input [B, S, D]."""
    *_, length, size = hidden.shape

    def heads(name):
        scope = f"bert/encoder/layer_{layer}/attention/self/{name}"
        kernel, bias = (
            weights[f"{scope}/{part}"].numpy().astype(np.float64)
            for part in ("kernel", "bias")
        )
        values = np.asarray(hidden, np.float64) @ kernel + bias
        values = values.reshape(-1, length, num_heads, size // num_heads)
        return values.swapaxes(1, 2)

    scores = heads("query") @ heads("key").swapaxes(2, 3)
    scores /= np.sqrt(size // num_heads)
    scores += (1 - mask[:, None, None]) * MASKED_SCORE
    values = np.exp(scores - scores.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


@eager_and_graph
@pytest.mark.parametrize("name", ["model_base", "model_wide"])
def test_they_are_those_of_numpy(golden, name, how):
    folder = golden / name
    config = BertConfig.from_json_file(folder / "bert_config.json")
    model = BertModel(config)
    checkpoint.load_weights(model, str(folder / "bert_model.ckpt"))
    with np.load(folder / "inputs.npz") as arrays:
        ids, mask, segments = (
            arrays[n] for n in ("input_ids", "input_mask", "segment_ids")
        )
    outputs = how(model.__call__)(
        ids, input_mask=mask, segment_ids=segments, with_attention=True
    )
    found = outputs["attention_probs"]
    inputs = [outputs["embedding_output"], *outputs["all_encoder_layers"]]
    weights = checkpoint.named_variables(model)
    heads = config.num_attention_heads
    assert len(found) == config.num_hidden_layers
    for layer, probs in enumerate(found):
        expected = in_numpy(weights, heads, inputs[layer].numpy(), mask, layer)
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(probs, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_rows_sum_to_1_and_none_looks_at_padding(dtype):
    model = BertModel(TINY, compute_dtype=dtype, init_seed=1)
    ids = tf.tile(IDS, [1, 128])
    mask = np.ones([2, 512], np.int32)
    mask[1, 300:] = 0
    outputs = model(ids, input_mask=mask, with_attention=True)
    for probs in outputs["attention_probs"]:
        assert probs.dtype == tf.float32
        assert probs.shape == (2, 2, 512, 512)
        sums = probs.numpy().astype(np.float64).sum(-1)
        np.testing.assert_allclose(sums, 1, rtol=0, atol=1e-6)
        assert np.all(probs[1, ..., 300:] == 0)


@eager_and_graph
def test_what_else_is_returned_keeps_its_bits(how):
    model = BertModel(TINY, init_seed=1)
    call = how(model.__call__)
    plain = call(IDS, input_mask=MASK)
    found = dict(call(IDS, input_mask=MASK, with_attention=True))
    assert len(found.pop("attention_probs")) == 2
    tf.nest.map_structure(np.testing.assert_array_equal, found, plain)


def test_nothing_is_kept_where_nobody_asks():
    model = BertModel(TINY)
    assert "attention_probs" not in model(IDS)
    with attention_probs.keeping() as kept:
        model(IDS)
        model(IDS, with_attention=True)
    assert kept == []
    attention_probs.keep(tf.zeros([]))
    assert kept == []


def test_in_training_they_are_those_before_dropout():
    dropping = dataclasses.replace(
        TINY, attention_probs_dropout_prob=0.9, hidden_dropout_prob=0.0
    )
    model = BertModel(dropping, init_seed=1)
    model.recompute_activations()
    weights = model.trainable_variables[0]
    with tf.GradientTape() as tape:
        outputs = model(IDS, training=True, seed=[1, 2], with_attention=True)
        loss = tf.reduce_sum(outputs["sequence_output"] ** 3)
    assert tape.gradient(loss, weights) is not None
    first, _ = outputs["attention_probs"]
    np.testing.assert_array_equal(
        first, model(IDS, with_attention=True)["attention_probs"][0]
    )


def test_chosen_tokens_look_at_all():
    model = BertModel(TINY, init_seed=1)
    outputs = model(IDS, choose=lambda x: x[:, 1:3], with_attention=True)
    whole = model(IDS, with_attention=True)["attention_probs"]
    first, last = outputs["attention_probs"]
    np.testing.assert_array_equal(first, whole[0])
    np.testing.assert_allclose(last, whole[1][:, :, 1:3], atol=1e-6)
