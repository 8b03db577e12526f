import contextlib

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.export_mode import export_mode
from bert.modeling.randomness import WeightInitializer
from bert.modeling.transformer import (
    BlockOptions,
    SelfAttention,
    TransformerBlock,
)

SEED = tf.constant([1, 2])


def options(dropout=0.0, attention_dropout=0.0, dtype="float32"):
    return BlockOptions(
        WeightInitializer(0.5, seed=3),
        dtype,
        num_heads=2,
        head_size=3,
        intermediate_size=5,
        activation="gelu",
        dropout_rate=dropout,
        attention_dropout_rate=attention_dropout,
    )


def block(*dropout_rates):
    layer = TransformerBlock(options(*dropout_rates), "layer_0")
    layer.build()
    return layer


def attention(dropout=0.0, dtype="float32"):
    layer = SelfAttention(
        options(attention_dropout=dropout, dtype=dtype),
    )
    layer.build()
    return layer


def hidden(rows=2, length=4, scale=1.0):
    return scale * tf.random.stateless_normal([rows, length, 6], SEED)


def test_weight_paths_are_checkpoint_names():
    assert [v.path for v in block().variables] == [
        f"layer_0/{name}"
        for name in (
            "attention/self/query/kernel",
            "attention/self/query/bias",
            "attention/self/key/kernel",
            "attention/self/key/bias",
            "attention/self/value/kernel",
            "attention/self/value/bias",
            "attention/output/dense/kernel",
            "attention/output/dense/bias",
            "attention/output/LayerNorm/beta",
            "attention/output/LayerNorm/gamma",
            "intermediate/dense/kernel",
            "intermediate/dense/bias",
            "output/dense/kernel",
            "output/dense/bias",
            "output/LayerNorm/beta",
            "output/LayerNorm/gamma",
        )
    ]


def test_attention_is_softmax_of_scaled_scores_in_each_head():
    layer = attention()
    x, mask = hidden(rows=1), np.array([[1, 1, 0, 1]])
    q, k, v = (
        x.numpy()[0] @ dense.kernel.numpy()
        for dense in (layer.query, layer.key, layer.value)
    )
    expected = []
    for head in (slice(0, 3), slice(3, 6)):
        scores = q[:, head] @ k[:, head].T / np.sqrt(3)
        weights = np.exp(scores) * mask[0]
        weights /= weights.sum(-1, keepdims=True)
        expected.append(weights @ v[:, head])
    np.testing.assert_allclose(
        layer(x, input_mask=tf.constant(mask))[0],
        np.concatenate(expected, -1),
        atol=1e-5,
    )


def test_a_row_without_any_real_token_looks_at_all_alike():
    # As in the original: -10000 is finite, and all scores get it.
    layer = attention()
    found = layer(hidden(), input_mask=tf.zeros([2, 4], tf.int32))
    assert np.all(np.isfinite(found))


def test_masked_tokens_change_nothing():
    layer = block()
    mask = tf.constant([[1, 1, 1, 0]] * 2)
    x = hidden()
    other = tf.concat([x[:, :3], 9.0 * x[:, 3:]], axis=1)
    np.testing.assert_array_equal(
        layer(x, input_mask=mask)[:, :3], layer(other, input_mask=mask)[:, :3]
    )


def test_attention_in_float16_holds_scores_beyond_its_range():
    # The largest unscaled one is about 94,000; float16 ends at 65,504.
    layer = attention(dtype="mixed_float16")
    mask = tf.ones([2, 4], tf.int32)
    assert np.all(np.isfinite(layer(hidden(scale=120.0), input_mask=mask)))


def test_attention_drops_attention_weights():
    layer = attention(dropout=0.5)
    x = hidden(rows=1, length=1)
    mask = tf.ones([1, 1], tf.int32)
    plain = layer(x, input_mask=mask).numpy().reshape(2, 3)
    outcomes = set()
    for i in range(20):
        dropped = layer(x, input_mask=mask, seed=tf.constant([i, 0]))
        # One weight of 1 a head: the head's value is gone or doubled.
        share = dropped.numpy().reshape(2, 3) / plain
        outcomes |= {tuple(np.round(share[:, 0], 4))}
        np.testing.assert_allclose(share, share[:, :1] * np.ones(3), rtol=1e-4)
    assert outcomes == {(0.0, 0.0), (0.0, 2.0), (2.0, 0.0), (2.0, 2.0)}


@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5)])
def test_each_dropout_of_a_block_is_on(rates):
    layer = block(*rates)
    mask = tf.ones([2, 4], tf.int32)
    plain = layer(hidden(), input_mask=mask)
    dropped = layer(hidden(), input_mask=mask, seed=SEED)
    assert np.max(np.abs(plain - dropped)) > 0.01
    np.testing.assert_array_equal(
        dropped, layer(hidden(), input_mask=mask, seed=SEED)
    )


@pytest.mark.parametrize("graph", [False, True])
def test_gradients_are_the_same_when_recomputed(graph):
    """Keras' Dropout draws other masks in the second forward pass."""
    layer = block(0.5, 0.5)
    x, mask = hidden(), tf.ones([2, 4], tf.int32)
    target = tf.random.stateless_normal(x.shape, [3, 4])

    def run(x):
        return layer(x, input_mask=mask, seed=SEED)

    def gradients(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            # Not a plain sum: that of normalized entries is a constant.
            loss = tf.reduce_sum(tf.square(function(x) - target))
        return tape.gradient(loss, [x, *layer.trainable_weights])

    plain = gradients(run)
    recompute = tf.function(gradients) if graph else gradients
    again = recompute(tf.recompute_grad(run))
    for one, other in zip(plain, again, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert np.max(np.abs(plain[0])) > 0.1


@pytest.mark.parametrize("exports", [False, True])
def test_vectors_of_all_heads_are_cut_anew(exports):
    layer = attention()
    x = hidden(rows=1)
    with export_mode() if exports else contextlib.nullcontext():
        found = layer.vectors(x, num_heads=3, scale=0.5)
    for dense, vectors in zip(
        (layer.query, layer.key, layer.value), found, strict=True
    ):
        expected = 0.5 * (x.numpy()[0] @ dense.kernel.numpy())
        for head in range(3):
            np.testing.assert_allclose(
                vectors[0, head],
                expected[:, 2 * head : 2 * head + 2],
                atol=1e-5,
            )
