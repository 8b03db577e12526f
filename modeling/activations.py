"""Activation functions, by the names that `bert_config.json` uses."""

import math
from collections.abc import Callable

import tensorflow as tf

from bert.errors import UserError
from bert.modeling.cpu_bfloat16 import runs_on_x86
from bert.modeling.export_mode import own_gradient
from bert.modeling.onednn_fusion import uses_onednn_fusion

# Of 32 rows of 128 tokens, one is some MB.
_PARTS = 8

Activation = Callable[[tf.Tensor], tf.Tensor]


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Gaussian error linear unit, the tanh approximation of the original.

    0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x^3))), float, any shape.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    if uses_onednn_fusion(x.dtype):
        return tf.nn.gelu(x, approximate=True)  # fused with the product
    return _by_float32(_gelu, x)


@own_gradient
def _gelu(x: tf.Tensor) -> tf.Tensor:
    # 0.5 * (1 + tanh(u)) = sigmoid(2u): fewer passes over memory.
    linear = 2.0 * math.sqrt(2.0 / math.pi)
    bounded = x
    if x.dtype == tf.float16:
        # Its largest number is 65504, and infinity times 0 would be NaN.
        bounded = tf.clip_by_value(x, -30.0, 30.0)
    twice_u = bounded * (linear + (linear * 0.044715) * tf.square(bounded))
    gate = tf.sigmoid(twice_u)

    def gradient(dy):
        # x times the derivative of 2u, in one pass. A graph computes all but
        # the last product in the forward pass, and keeps the result.
        inner = tf.add_n([twice_u] * 3 + [bounded * (-2.0 * linear)])
        return dy * (gate + tf.raw_ops.SigmoidGrad(y=gate, dy=inner))

    return x * gate, gradient


def gelu_erf(x: tf.Tensor) -> tf.Tensor:
    """Gaussian error linear unit, exact: x * P(Z <= x) of a normal Z.

    What Hugging Face calls `gelu`. By erf, as ONNX has no erfc.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    if x.dtype == tf.bfloat16 and uses_onednn_fusion(x.dtype):
        return tf.nn.gelu(x, approximate=False)  # fused with the product
    return _by_float32(_gelu_erf, x)


def _gelu_erf(x: tf.Tensor) -> tf.Tensor:
    return 0.5 * x * (1.0 + tf.math.erf(x * math.sqrt(0.5)))


def _by_float32(function: Activation, x: tf.Tensor) -> tf.Tensor:
    """Returns function(x); on a processor, of bfloat16 by way of float32.

    Processors multiply matrices of bfloat16 fast, and do all else slower than
    in float32. In parts, whose float32 numbers stay in the cache.

    Args:
        function: of each number by itself.
        x: float, any shape.
    """
    if x.dtype != tf.bfloat16 or not runs_on_x86():
        return function(x)

    @own_gradient
    def run(x):
        outputs: list[tf.Tensor] = []
        slopes: list[tf.Tensor] = []
        for part in _cut(x):
            # One after the other: together they would leave the cache.
            with tf.control_dependencies(slopes[-1:]):
                wide = tf.cast(part, tf.float32)
            with tf.GradientTape() as tape:
                tape.watch(wide)
                y = function(wide)
            outputs.append(tf.cast(y, x.dtype))
            slopes.append(tf.cast(tape.gradient(y, wide), x.dtype))

        def gradient(dy):
            parts = zip(_cut(dy), slopes, strict=True)
            return _join([part * slope for part, slope in parts], x)

        return _join(outputs, x), gradient

    return run(x)


def _cut(x: tf.Tensor) -> list[tf.Tensor]:
    numbers = tf.reshape(x, [-1])
    size = tf.size(x) // _PARTS
    last = tf.size(x) - size * (_PARTS - 1)
    return tf.split(numbers, [size] * (_PARTS - 1) + [last])


def _join(parts: list[tf.Tensor], like: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.concat(parts, 0), tf.shape(like))


def linear(x: tf.Tensor) -> tf.Tensor:
    """Returns x."""
    return x


_ACTIVATIONS: dict[str, Activation] = {
    "gelu": gelu,
    "gelu_erf": gelu_erf,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": linear,
}


def get_activation(name: str | Activation | None) -> Activation:
    """Returns the activation function of that name.

    Args:
        name: in any case; None or "" is linear, and a function is returned as
            it is, as in the original.

    Raises:
        UserError: the name is not known; the message lists those that are.
    """
    if callable(name):
        return name
    name = (name or "linear").lower()
    if name not in _ACTIVATIONS:
        raise UserError(
            f"An activation must be one of {', '.join(_ACTIVATIONS)}. "
            f"Received: {name!r}."
        )
    return _ACTIVATIONS[name]
