"""Activation functions, by the names that `bert_config.json` uses."""

import math
from collections.abc import Callable

import tensorflow as tf

from bert.errors import UserError
from bert.modeling.export_mode import own_gradient
from bert.modeling.onednn_fusion import uses_onednn_fusion

Activation = Callable[[tf.Tensor], tf.Tensor]


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Gaussian error linear unit, the tanh approximation of the original.

    0.5 * x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x^3))), float, any shape.

    Source: Hendrycks and Gimpel 2016, section 2.
    """
    if x.dtype == tf.float32 and uses_onednn_fusion():
        return tf.nn.gelu(x, approximate=True)  # fused with the product
    return _gelu(x)


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
    return 0.5 * x * (1.0 + tf.math.erf(x * math.sqrt(0.5)))


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
