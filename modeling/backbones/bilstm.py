"""BiLstm: an encoder of recurrent layers that read in both directions.

Letters of shapes: B batch, S sequence, D hidden, H units of a direction =
D / 2.
"""

import keras
import tensorflow as tf

from bert.modeling.backbones.stack import Block, Stack
from bert.modeling.config import BertConfig
from bert.modeling.layers import Dense, LayerNorm, LayerOptions, side_by_side
from bert.modeling.randomness import dropout


class Direction(Dense):
    """A long short-term memory that reads in one direction.

    Checkpoint: `kernel` [D, 4 H], `recurrent_kernel` [H, 4 H] and `bias`
    [4 H], under `encoder/layer_<i>/{forward,backward}/`: the input gate, the
    forget gate, the candidate and the output gate, in this order.

    Args:
        num_units: H.
        options: see `LayerOptions`; the bias starts at 0.
        name: forward or backward.

    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000.
    """

    def __init__(self, num_units: int, options: LayerOptions, name: str):
        super().__init__(2 * num_units, 4 * num_units, options, name)
        self.num_units = num_units

    def build(self, input_shape=None):
        super().build()
        self.recurrent_kernel = self.new_weight(
            "recurrent_kernel", [self.num_units, self.units]
        )

    def read(
        self, gates: tf.Tensor, is_real: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the states, [S, B, H], and the last one read, [B, H].

        Args:
            gates: float [S, B, 4 H], what the dense layer makes of the input.
            is_real: bool [S, B, 1]; elsewhere the state stays as it is.
        """
        # A loop for each direction, which run side by side, and in each step
        # the product with the state alone. TensorFlow's BlockLSTM, which is
        # one operation, takes nearly twice as long on a CPU.
        length, rows = tf.unstack(tf.shape(gates)[:2])
        kernel = tf.cast(self.recurrent_kernel, gates.dtype)
        steps = _array(length, gates).unstack(gates)
        masks = _array(length, is_real).unstack(is_real)
        start = tf.zeros([rows, self.num_units])
        states = tf.TensorArray(
            gates.dtype, length, element_shape=[None, self.num_units]
        )

        def step(number, state, cell, states):
            place = length - 1 - number if self.name == "backward" else number
            gate = steps.read(place) + tf.matmul(state, kernel)
            # float32: the cell adds up over all steps.
            into, keep, new, out = tf.split(tf.cast(gate, tf.float32), 4, 1)
            moved = tf.sigmoid(keep) * cell + tf.sigmoid(into) * tf.tanh(new)
            seen = tf.cast(tf.sigmoid(out) * tf.tanh(moved), state.dtype)
            real = masks.read(place)
            cell = tf.where(real, moved, cell)
            state = tf.where(real, seen, state)
            return number + 1, state, cell, states.write(place, state)

        _, last, _, states = tf.while_loop(
            lambda number, *_: number < length,
            step,
            (0, tf.cast(start, gates.dtype), start, states),
            maximum_iterations=length,
        )
        return states.stack(), last


class RecurrentBlock(Block):
    """A memory in each direction, beside one another, on a residual.

    Checkpoint: `forward`, `backward` and `LayerNorm`, under
    `encoder/layer_<i>/`.

    Args, call arguments and returns: those of `Block`. The pooler gets the
    last state of each direction: that of the last and of the first real token.
    """

    def __init__(self, config: BertConfig, options: LayerOptions, name: str):
        super().__init__(config, options, name)
        self.size = config.hidden_size
        self.directions = [
            Direction(self.size // 2, options, direction)
            for direction in ("forward", "backward")
        ]
        self.layer_norm = LayerNorm(self.size, options)

    def build(self, input_shape=None):
        for direction in self.directions:
            direction.build()
        super().build()

    def call(self, hidden, input_mask, seed=None):
        # Of all steps and both directions in one product.
        by_time = tf.transpose(hidden, [1, 0, 2])
        gates = side_by_side(
            tf.reshape(by_time, [-1, self.size]),
            [(direction, 1.0) for direction in self.directions],
        )
        shape = tf.concat([tf.shape(by_time)[:2], [4 * self.size]], 0)
        is_real = tf.expand_dims(tf.transpose(input_mask) > 0, -1)
        found = [
            direction.read(part, is_real)
            for direction, part in zip(
                self.directions,
                tf.split(tf.reshape(gates, shape), 2, -1),
                strict=True,
            )
        ]
        states, last = (
            tf.concat(parts, -1) for parts in zip(*found, strict=True)
        )
        x = dropout(tf.transpose(states, [1, 0, 2]), self.dropout_rate, seed)
        # float32: a sum of two bfloat16 would lose the smaller one's bits.
        hidden = self.layer_norm(
            tf.cast(x, tf.float32) + tf.cast(hidden, tf.float32)
        )
        return hidden, last


@keras.saving.register_keras_serializable("bert")
class BiLstm(Stack):
    """Recurrent layers that read in both directions; see docs/encoders.md.

    Args, call arguments and returns: those of `Stack`.

    Source: Graves and Schmidhuber 2005.
    """

    block_class = RecurrentBlock
    kept_per_unit = 14.0


def _array(length: tf.Tensor, steps: tf.Tensor) -> tf.TensorArray:
    """Returns an array for a tensor's first axis, which is time."""
    return tf.TensorArray(
        steps.dtype, length, element_shape=[None, steps.shape[-1]]
    )
