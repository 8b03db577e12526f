"""TextCnn: an encoder of convolutions.

Letters of shapes: B batch, S sequence, D hidden, C channels = D / 4.
"""

import keras
import tensorflow as tf

from bert.modeling.activations import get_activation
from bert.modeling.backbones.stack import Block, Stack
from bert.modeling.config import BertConfig
from bert.modeling.layers import Dense, Layer, LayerNorm, LayerOptions
from bert.modeling.pooling import max_vector
from bert.modeling.randomness import dropout

# Tokens that a convolution sees at a time; a share of D for each.
WIDTHS = (2, 3, 4, 5)


class Convolution(Layer):
    """Sees each token with those beside it; beyond both ends there are zeros.

    Of an even width, the larger half is on the right.

    Checkpoint: `kernel` [width, D, C] and `bias` [C], under
    `encoder/layer_<i>/convolution_<width>/`.

    Args:
        width: how many tokens it sees.
        input_size: D.
        channels: C.
        options: see `LayerOptions`; the bias starts at 0.

    Call arguments:
        x: float [B, S, D].

    Returns:
        float [B, S, C].

    Source: Kim 2014, section 2.
    """

    def __init__(
        self, width: int, input_size: int, channels: int, options: LayerOptions
    ):
        super().__init__(options, f"convolution_{width}")
        self.shape = (width, input_size, channels)

    def build(self, input_shape=None):
        self.kernel = self.new_weight("kernel", self.shape)
        self.bias = self.new_weight("bias", self.shape[-1:], "zeros")

    def call(self, x):
        kernel = tf.cast(self.kernel, x.dtype)
        # One for each width: two thirds of the time of the best product of
        # matrices, forward and backward, or of a single one of width 5.
        x = tf.nn.conv1d(x, kernel, stride=1, padding="SAME")
        return tf.nn.bias_add(x, tf.cast(self.bias, x.dtype))


class ConvolutionBlock(Block):
    """Convolutions beside one another, then a dense layer, on a residual.

    Checkpoint: `convolution_2` to `convolution_5`, `dense` and `LayerNorm`,
    under `encoder/layer_<i>/`.

    Args, call arguments and returns: those of `Block`. The pooler gets the
    maximum over the real tokens.
    """

    def __init__(self, config: BertConfig, options: LayerOptions, name: str):
        super().__init__(config, options, name)
        size = config.hidden_size
        self.convolutions = [
            Convolution(width, size, size // len(WIDTHS), options)
            for width in WIDTHS
        ]
        self.activation = get_activation(config.hidden_act)
        self.dense = Dense(size, size, options)
        self.layer_norm = LayerNorm(size, options)

    def build(self, input_shape=None):
        for convolution in self.convolutions:
            convolution.build()
        super().build()

    def call(self, hidden, input_mask, seed=None):
        real = tf.cast(tf.expand_dims(input_mask, -1), hidden.dtype)
        seen = hidden * real
        x = tf.concat([layer(seen) for layer in self.convolutions], -1)
        x = dropout(self.dense(self.activation(x)), self.dropout_rate, seed)
        # float32: a sum of two bfloat16 would lose the smaller one's bits.
        hidden = self.layer_norm(
            tf.cast(x, tf.float32) + tf.cast(hidden, tf.float32)
        )
        return hidden, _maximum(hidden, input_mask)


@keras.saving.register_keras_serializable("bert")
class TextCnn(Stack):
    """Blocks of convolutions of several widths; see docs/encoders.md.

    Args, call arguments and returns: those of `Stack`.

    Source: Kim 2014; the block is Vaswani et al.'s (2017), with convolutions
    in the place of attention.
    """

    block_class = ConvolutionBlock
    kept_per_unit = 9.0


def _maximum(hidden: tf.Tensor, input_mask: tf.Tensor) -> tf.Tensor:
    """Returns the maximum over real tokens, [B, D]; of none, 0."""
    # A row that only fills up a batch may have no real token.
    largest = max_vector(hidden[:, tf.newaxis], input_mask)[:, 0]
    is_any = tf.reduce_any(input_mask > 0, axis=1, keepdims=True)
    return tf.where(is_any, largest, tf.zeros_like(largest))
