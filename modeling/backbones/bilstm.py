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
    """The weights of a long short-term memory that reads in one direction.

    Checkpoint: `kernel` [D, 4 H], `recurrent_kernel` [H, 4 H] and `bias`
    [4 H], under `encoder/layer_<i>/{forward,backward}/`: the input gate, the
    forget gate, the candidate and the output gate, in this order.

    Args:
        num_units: H.
        options: see `LayerOptions`; the bias starts at 1 for the forget gate,
            which then keeps most of what it has, and at 0 for the others.
        name: forward or backward.

    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000; the bias:
    Jozefowicz et al. 2015.
    """

    def __init__(self, num_units: int, options: LayerOptions, name: str):
        super().__init__(2 * num_units, 4 * num_units, options, name)
        self.num_units = num_units

    def build(self, input_shape=None):
        self.kernel = self.new_weight("kernel", [self.input_size, self.units])
        self.recurrent_kernel = self.new_weight(
            "recurrent_kernel", [self.num_units, self.units]
        )
        self.bias = self.new_weight("bias", [self.units], _one_at_forget_gate)


def _one_at_forget_gate(shape, dtype=None) -> tf.Tensor:
    """Returns a bias [4 H] to start with."""
    return tf.repeat(tf.constant([0.0, 1.0, 0.0, 0.0], dtype), shape[0] // 4)


def read(
    gates: tf.Tensor, kernels: tf.Tensor, is_real: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads a sequence in both directions.

    Args:
        gates: float [S, 2, B, 4 H], what each direction's dense layer makes of
            the input, in the order in which it reads.
        kernels: float [2, H, 4 H], of the state.
        is_real: bool [S, 2, B, 1]; elsewhere the state stays as it is.

    Returns:
        The states, [S, 2, B, H], and the last ones, [2, B, H].
    """
    # One loop for both directions, and in each step the product with the state
    # alone: two thirds of the time of a loop for each. TensorFlow's BlockLSTM,
    # which is one operation, takes three times as long on a CPU.
    length = tf.shape(gates)[0]
    steps = _array(length, gates).unstack(gates)
    masks = _array(length, is_real).unstack(is_real)
    start = tf.zeros_like(gates[0, :, :, : kernels.shape[1]])
    # A TensorArray but for its shape, which LiteRT can take as a tensor alone.
    states = tf.raw_ops.TensorListReserve(
        element_shape=tf.shape(start),
        num_elements=length,
        element_dtype=start.dtype,
    )

    def step(number, state, cell, states):
        gate = steps.read(number) + tf.matmul(state, kernels)
        # float32: the cell adds up over all steps.
        into, keep, new, out = tf.split(tf.cast(gate, tf.float32), 4, -1)
        moved = tf.sigmoid(keep) * cell + tf.sigmoid(into) * tf.tanh(new)
        seen = tf.cast(tf.sigmoid(out) * tf.tanh(moved), state.dtype)
        real = masks.read(number)
        cell = tf.where(real, moved, cell)
        state = tf.where(real, seen, state)
        states = tf.raw_ops.TensorListSetItem(
            input_handle=states, index=number, item=state
        )
        return number + 1, state, cell, states

    _, last, _, states = tf.while_loop(
        lambda number, *_: number < length,
        step,
        (0, start, tf.cast(start, tf.float32), states),
        maximum_iterations=length,
    )
    states = tf.raw_ops.TensorListStack(
        input_handle=states,
        element_shape=tf.shape(start),
        element_dtype=start.dtype,
    )
    return states, last


def _array(length: tf.Tensor, steps: tf.Tensor) -> tf.TensorArray:
    """Returns an array for a tensor's first axis, which is time."""
    return tf.TensorArray(
        steps.dtype, length, element_shape=[2, None, steps.shape[-1]]
    )


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
        kernels = tf.stack(
            [tf.convert_to_tensor(d.recurrent_kernel) for d in self.directions]
        )
        states, last = read(
            _both_ways(*tf.split(tf.reshape(gates, shape), 2, -1)),
            tf.cast(kernels, gates.dtype),
            _both_ways(is_real, is_real),
        )
        states = [states[:, 0], tf.reverse(states[:, 1], [0])]
        x = tf.transpose(tf.concat(states, -1), [1, 0, 2])
        x = dropout(x, self.dropout_rate, seed)
        # float32: a sum of two bfloat16 would lose the smaller one's bits.
        hidden = self.layer_norm(
            tf.cast(x, tf.float32) + tf.cast(hidden, tf.float32)
        )
        return hidden, tf.concat(tf.unstack(last), -1)


def _both_ways(forward: tf.Tensor, backward: tf.Tensor) -> tf.Tensor:
    """Returns [S, 2, …] of two [S, …], the second one from its end."""
    return tf.stack([forward, tf.reverse(backward, [0])], 1)


@keras.saving.register_keras_serializable("bert")
class BiLstm(Stack):
    """Recurrent layers that read in both directions; see docs/encoders.md.

    Args, call arguments and returns: those of `Stack`.

    Source: Graves and Schmidhuber 2005.
    """

    block_class = RecurrentBlock
    kept_per_unit = 14.0
