import math

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.layers import (
    LAYER_NORM_EPSILON,
    Dense,
    Embeddings,
    LayerNorm,
    LayerOptions,
    side_by_side,
)
from bert.modeling.randomness import WeightInitializer

INITIALIZER = WeightInitializer(0.5, seed=3)
OPTIONS = LayerOptions(INITIALIZER)
BFLOAT16 = LayerOptions(INITIALIZER, "mixed_bfloat16")


def built(layer):
    layer.build()
    return layer


def embeddings(options=OPTIONS):
    return built(
        Embeddings(
            vocab_size=7,
            type_vocab_size=3,
            max_position_embeddings=5,
            hidden_size=4,
            dropout_rate=0.25,
            options=options,
        )
    )


def test_dense_multiplies_adds_and_activates():
    dense = built(Dense(2, 3, OPTIONS, activation="relu"))
    dense.bias.assign([0.1, -0.2, 0.3])
    x = np.array([[[1.0, 2.0]], [[-3.0, 0.5]]], np.float32)
    expected = np.maximum(x @ dense.kernel.numpy() + [0.1, -0.2, 0.3], 0)
    np.testing.assert_allclose(dense(x), expected, rtol=1e-6)


def test_dense_keeps_what_is_known_of_the_shape():
    dense = built(Dense(2, 3, OPTIONS))
    graph = tf.function(dense.call).get_concrete_function(
        tf.TensorSpec([None, 5, 2])
    )
    assert graph.output_shapes.as_list() == [None, 5, 3]


def test_weight_paths_are_checkpoint_names():
    assert [v.path for v in embeddings().variables] == [
        "embeddings/word_embeddings",
        "embeddings/token_type_embeddings",
        "embeddings/position_embeddings",
        "embeddings/LayerNorm/beta",
        "embeddings/LayerNorm/gamma",
    ]


def test_layer_norm_scales_to_gamma_and_beta():
    norm = built(LayerNorm(4, OPTIONS))
    norm.gamma.assign([1.0, 2.0, 3.0, 4.0])
    norm.beta.assign([0.0, 0.0, 1.0, 1.0])
    # Mean 0, deviation 2.
    x = tf.constant([[2.0, -2.0, 2.0, -2.0]])
    np.testing.assert_allclose(norm(x), [[1, -2, 4, -3]], atol=1e-6)


def test_layer_norm_epsilon_is_too_small_to_show():
    # With Keras' 1e-3 the deviation of 0.01 would count as 0.033.
    norm = built(LayerNorm(2, OPTIONS))
    found = norm(tf.constant([[0.01, -0.01]]))
    np.testing.assert_allclose(found, [[1, -1]], rtol=1e-6)


def test_layer_norm_computes_in_float32():
    norm = built(LayerNorm(4, BFLOAT16))
    norm.gamma.assign([1.0 + 2.0**-10] * 4)
    # In bfloat16 1000 and 1001 are one number.
    found = norm(tf.constant([[1000.0, 1001.0, 1000.0, 1001.0]]))
    assert found.dtype == tf.bfloat16
    np.testing.assert_allclose(
        tf.cast(found, tf.float32), [[-1, 1, -1, 1]], rtol=5e-3
    )


def test_layer_norm_has_the_gradient_that_tensorflow_derives():
    norm = built(LayerNorm(4, OPTIONS))
    norm.gamma.assign([1.0, 2.0, -3.0, 4.0])
    x = tf.random.stateless_normal([2, 3, 4], [1, 2])
    along = tf.random.stateless_normal([2, 3, 4], [3, 4])

    def plain(x):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(
            x, mean, variance, norm.beta, norm.gamma, LAYER_NORM_EPSILON
        )

    found, expected = (
        gradients_of(function, [x, norm.gamma.value, norm.beta.value], along)
        for function in (norm, plain)
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def gradients_of(function, sources, along):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = function(sources[0])
    return tape.gradient(y, sources, along)


@pytest.mark.parametrize("scales", [[1.0], [2.5], [0.125, 1.0, 2.5]])
def test_products_have_the_gradients_that_tensorflow_derives(scales):
    layers = [
        (built(Dense(4, units, OPTIONS, f"d{units}")), scale)
        for units, scale in zip([3, 1, 2], scales, strict=False)
    ]
    x = tf.random.stateless_normal([5, 4], [1, 2])
    sources = [x]
    for layer, _ in layers:
        layer.bias.assign(tf.range(1.0, layer.units + 1))
        sources += [layer.kernel.value, layer.bias.value]

    def plain(x):
        return tf.concat(
            [
                scale * (tf.matmul(x, layer.kernel) + layer.bias)
                for layer, scale in layers
            ],
            1,
        )

    def ours(x):
        return side_by_side(x, layers)

    np.testing.assert_allclose(ours(x), plain(x), rtol=1e-5)
    along = tf.random.stateless_normal(plain(x).shape, [3, 4])
    for run in (lambda function: function, tf.function):
        found, expected = (
            gradients_of(run(function), sources, along)
            for function in (ours, plain)
        )
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def test_concatenated_kernels_are_not_kept_for_the_backward_pass():
    layers = [
        (built(Dense(4, units, OPTIONS, f"d{units}")), 1.0) for units in (3, 2)
    ]

    @tf.function
    def dx(x):
        return gradients_of(lambda x: side_by_side(x, layers), [x], None)

    graph = dx.get_concrete_function(tf.ones([6, 4])).graph
    concats = [
        op
        for op in graph.get_operations()
        if op.type == "ConcatV2" and op.outputs[0].shape == [4, 5]
    ]
    # What the second one waits for, by its axis, comes with the gradient:
    # without it the first one would do, and stay in memory.
    waits = [bool(op.inputs[-1].op.control_inputs) for op in concats]
    assert waits == [False, True]


def test_scaled_dense_is_the_sum_times_the_scale():
    dense = built(Dense(2, 3, OPTIONS, activation="relu"))
    dense.bias.assign([0.1, -0.2, 0.3])
    x = tf.constant([[1.0, 2.0], [-3.0, 0.5]])
    np.testing.assert_allclose(dense(x, scale=2.5), 2.5 * dense(x), rtol=1e-6)


def test_a_scale_is_exact_under_bfloat16():
    dense = built(Dense(1, 1, BFLOAT16))
    dense.kernel.assign([[0.9]])
    x = tf.ones([1, 1], tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dense(x, scale=1 / 0.9)
    dx, dkernel = tape.gradient(y, [x, dense.kernel.value])
    assert y.dtype == dx.dtype == tf.bfloat16
    assert float(y[0, 0]) == float(dx[0, 0]) == 1.0
    np.testing.assert_allclose(dkernel, [[1 / 0.9]], rtol=1e-6)


def test_embeddings_add_word_segment_and_position():
    layer = embeddings()
    ids, segments = [[6, 2, 6]], [[0, 2, 1]]
    word, segment, position = (v.numpy() for v in layer.variables[:3])
    x = word[ids] + segment[segments] + position[:3]
    expected = x - x.mean(-1, keepdims=True)
    expected /= np.sqrt((expected**2).mean(-1, keepdims=True))
    found = layer(tf.constant(ids), segment_ids=tf.constant(segments))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("options", [OPTIONS, BFLOAT16])
def test_only_the_word_table_has_a_gradient_of_rows(options):
    layer = embeddings(options)

    @tf.function
    def gradients(ids):
        with tf.GradientTape() as tape:
            x = layer(ids, segment_ids=tf.zeros_like(ids))
            x = tf.cast(x, tf.float32)
            loss = tf.reduce_sum(tf.square(x) * [1.0, 2.0, 3.0, 4.0])
        return tape.gradient(loss, layer.trainable_weights[:3])

    words, segments, positions = gradients(tf.constant([[6, 6, 1]]))
    assert isinstance(words, tf.IndexedSlices)
    # Not merged: two rows of one id stay two.
    assert words.indices.numpy().tolist() == [6, 6, 1]
    assert words.values.dtype == tf.float32
    assert isinstance(segments, tf.Tensor)
    assert isinstance(positions, tf.Tensor)
    assert positions.shape == [5, 4]
    np.testing.assert_array_equal(positions[3:], np.zeros([2, 4]))


def test_embeddings_are_dropped_after_the_normalization():
    layer = embeddings()
    ids = tf.tile([[0, 1, 2, 3, 4]], [200, 1])
    plain = layer(ids, segment_ids=tf.zeros_like(ids)).numpy()
    dropped = layer(ids, segment_ids=tf.zeros_like(ids), seed=[1, 2]).numpy()
    assert abs(np.mean(dropped == 0) - 0.25) < 0.03
    np.testing.assert_allclose(
        dropped[dropped != 0], (plain / 0.75)[dropped != 0], rtol=1e-6
    )


def test_start_weights_have_the_range_and_norm_and_bias_their_constants():
    dense = built(Dense(100, 100, OPTIONS))
    assert math.isclose(np.std(dense.kernel), 0.5 * 0.8796, rel_tol=0.03)
    assert not np.any(dense.bias)
    norm = built(LayerNorm(3, OPTIONS))
    assert np.all(norm.gamma == 1)
    assert not np.any(norm.beta)
