import math

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling.activations import gelu, gelu_erf, get_activation, linear
from bert.modeling.config import HIDDEN_ACTS

POINTS = np.linspace(-8.0, 8.0, 1601)


def values(function):
    return function(tf.constant(POINTS, tf.float32)).numpy()


def test_gelu_is_the_tanh_approximation():
    cubic = POINTS + 0.044715 * POINTS**3
    expected = 0.5 * POINTS * (1 + np.tanh(math.sqrt(2 / math.pi) * cubic))
    np.testing.assert_allclose(values(gelu), expected, rtol=0, atol=1e-6)


def test_gelu_erf_is_the_exact_form():
    expected = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in POINTS]
    np.testing.assert_allclose(values(gelu_erf), expected, rtol=0, atol=1e-6)


def test_the_two_gelus_differ_by_more_than_the_goldens_allow():
    assert np.max(np.abs(values(gelu) - values(gelu_erf))) > 1e-4


@pytest.mark.parametrize("function", [gelu, gelu_erf])
@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float16])
def test_gelu_and_its_gradient_are_finite_for_large_inputs(function, dtype):
    # The square of 300 is more than float16 holds, as is 3 times 22,000.
    x = tf.constant([-22000, -300, -20, 0, 20, 300, 22000], dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(
        tf.cast(y, tf.float32),
        tf.nn.relu(tf.cast(x, tf.float32)),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        tf.cast(tape.gradient(y, x), tf.float32),
        [0, 0, 0, 0.5, 1, 1, 1],
        atol=1e-6,
    )


def test_gelu_has_the_gradient_of_the_tanh_approximation():
    def slopes(function, dtype):
        x = tf.constant(POINTS, dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x).numpy()

    # 1 - sigmoid is off by up to 6e-8 near 1, times x times the inner slope.
    np.testing.assert_allclose(
        slopes(gelu, tf.float32),
        slopes(lambda x: tf.nn.gelu(x, approximate=True), tf.float64),
        rtol=0,
        atol=4e-6,
    )


@pytest.mark.parametrize("function", [gelu, gelu_erf])
@pytest.mark.parametrize("shape", [[], [0], [7], [2, 3, 5], [1601]])
def test_gelu_of_bfloat16_and_its_slope_are_rounded_once(function, shape):
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    x = tf.reshape(tf.cast(POINTS[: math.prod(shape)], tf.bfloat16), shape)
    for found, expected in zip(
        run(x), run(tf.cast(x, tf.float32)), strict=True
    ):
        assert found.shape == shape
        np.testing.assert_allclose(
            tf.cast(found, tf.float32), expected, rtol=1.01 * 2**-8, atol=1e-6
        )


def test_gelu_erf_has_no_op_that_onnx_lacks():
    graph = tf.function(gelu_erf).get_concrete_function(
        tf.TensorSpec([None], tf.float32)
    )
    ops = {op.type for op in graph.graph.get_operations()}
    assert "Erf" in ops
    assert "Erfc" not in ops


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0, 0, 2]),
        ("tanh", np.tanh([-1, 0, 2])),
        ("linear", [-1, 0, 2]),
    ],
)
def test_the_other_activations(name, expected):
    x = tf.constant([-1.0, 0.0, 2.0])
    np.testing.assert_allclose(get_activation(name)(x), expected, atol=1e-6)


def test_every_name_that_a_config_may_have_is_known():
    for name in HIDDEN_ACTS:
        get_activation(name)


def test_names_are_taken_as_the_original_takes_them():
    assert get_activation("GELU") is get_activation("gelu")
    assert get_activation(None) is get_activation("") is linear
    assert get_activation(tf.tanh) is tf.tanh


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match=r"gelu, gelu_erf, relu.*'swish'"):
        get_activation("swish")
