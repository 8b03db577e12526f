"""What all layers are made of: weights, products, norms, and the embeddings.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary.

A layer's name is its part of the checkpoint name, and all weights are created
by `build`, which needs no shape: a layer is told its sizes. Matrix products
run in the layer's compute dtype; weights, layer normalization and softmax are
float32.
"""

import dataclasses
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from bert.modeling.activations import get_activation
from bert.modeling.export_mode import own_gradient
from bert.modeling.fixed_weights import are_weights_fixed
from bert.modeling.onednn_fusion import uses_onednn_fusion
from bert.modeling.randomness import WeightInitializer, dropout

LAYER_NORM_EPSILON = 1e-12


@dataclasses.dataclass(frozen=True)
class LayerOptions:
    """What all layers of a model are made with.

    Attributes:
        initializer: draws the start values of kernels and tables.
        dtype: Keras' dtype policy: of the matrix products.
        epsilon: added to variances in layer normalization.
    """

    initializer: WeightInitializer
    dtype: str = "float32"
    epsilon: float = LAYER_NORM_EPSILON


class Layer(keras.layers.Layer):
    """A layer that knows its sizes: built without the shape of an input.

    Args:
        options: what it and its parts are made with.
        name: its part of the names in checkpoints.
        **kwargs: of Keras' layers.
    """

    def __init__(self, options: LayerOptions, name: str, **kwargs):
        super().__init__(name=name, dtype=options.dtype, **kwargs)
        self.options = options

    def build(self, input_shape=None):
        """Builds the layers that are attributes of this one."""
        for part in vars(self).values():
            if isinstance(part, Layer):
                part.build()

    def new_weight(
        self,
        name: str,
        shape: Sequence[int],
        start: str | Callable[..., tf.Tensor] | None = None,
    ) -> keras.Variable:
        """Returns a new weight, which is read as float32.

        Args:
            name: the last part of its name in checkpoints.
            shape: its shape.
            start: "zeros", "ones" or a function of shape and dtype; None: drawn
                by the initializer.
        """
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=start
            or self.options.initializer(f"{self.path}/{name}"),
            autocast=False,
        )


class Dense(Layer):
    """A matrix product, a bias and an activation.

    Checkpoint: `kernel` [input_size, units] and `bias` [units].

    Args:
        input_size: width of the input.
        units: width of the output.
        options: see `LayerOptions`; the bias starts at 0.
        name: see `Layer`.
        activation: a name that `get_activation` knows.

    Call arguments:
        x: float [..., input_size].
        scale: what to multiply the sum by, before the activation. It is the
            kernel that is scaled, which is smaller than the product.

    Returns:
        float [..., units].
    """

    def __init__(
        self,
        input_size: int,
        units: int,
        options: LayerOptions,
        name: str = "dense",
        activation: str = "linear",
    ):
        super().__init__(options, name)
        self.input_size = input_size
        self.units = units
        self.activation = get_activation(activation)

    def build(self, input_shape=None):
        self.kernel = self.new_weight("kernel", [self.input_size, self.units])
        self.bias = self.new_weight("bias", [self.units], "zeros")

    def call(self, x, scale=1.0):
        # One product of two matrices is a third faster, forward and backward,
        # than a batch of products.
        rows = tf.reshape(x, [-1, self.input_size])
        rows = self.activation(side_by_side(rows, [(self, scale)]))
        return tf.reshape(rows, tf.concat([tf.shape(x)[:-1], [self.units]], 0))


def side_by_side(
    x: tf.Tensor, layers: Sequence[tuple[Dense, float]]
) -> tf.Tensor:
    """Returns what some layers make of x, beside one another.

    One wide product is a third faster, forward and backward, than several
    narrow ones.

    Args:
        x: float [rows, input_size], in the compute dtype.
        layers: each with what to multiply its sum by. It is the weights that
            are multiplied, in float32: 1 / 0.9 itself is 0.2 % less in
            bfloat16.

    Returns:
        float [rows, sum of units], before the activations.
    """
    scales = [scale for _, scale in layers]
    units = [layer.units for layer, _ in layers]

    def scaled(tensors):
        return [
            tensor if scale == 1.0 else tensor * scale
            for tensor, scale in zip(tensors, scales, strict=True)
        ]

    def concat(weights, axis):
        weights = scaled(weights)
        whole = weights[0] if len(weights) == 1 else tf.concat(weights, axis)
        return tf.cast(whole, x.dtype)

    def split(gradient, axis):
        whole = tf.cast(gradient, tf.float32)
        return scaled(
            tf.split(whole, units, axis) if len(units) > 1 else [whole]
        )

    if are_weights_fixed():
        with tf.init_scope():  # outside of the graph that is made
            kernel = concat([layer.kernel for layer, _ in layers], 1)
            bias = concat([layer.bias for layer, _ in layers], 0)
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)

    @own_gradient
    def affine(x, *weights):
        kernels, biases = weights[: len(layers)], weights[len(layers) :]

        def gradient(dy):
            # Concatenated again: kept from the forward pass, all kernels
            # would take as much memory as a second encoder. The dependency on
            # dy keeps TensorFlow from taking the first concatenation instead.
            with tf.control_dependencies([dy]):
                kernel = concat(kernels, 1)
            return (
                tf.matmul(dy, kernel, transpose_b=True),
                *split(tf.matmul(x, dy, transpose_a=True), 1),
                *split(_sum_of_rows(dy), 0),
            )

        product = tf.matmul(x, concat(kernels, 1))
        return tf.nn.bias_add(product, concat(biases, 0)), gradient

    return affine(
        x,
        *(tf.convert_to_tensor(layer.kernel) for layer, _ in layers),
        *(tf.convert_to_tensor(layer.bias) for layer, _ in layers),
    )


def _sum_of_rows(x: tf.Tensor) -> tf.Tensor:
    """Returns the sum over all axes but the last one, [units].

    As a product with a vector of ones, which takes half the time of
    TensorFlow's sum, or of its own gradient of a bias, on a CPU; in bfloat16
    with a matrix of one row, which takes two thirds of that.
    """
    x = tf.reshape(x, [-1, x.shape[-1]])
    ones = tf.ones([tf.shape(x)[0]], x.dtype)
    if x.dtype == tf.bfloat16:
        return tf.matmul(ones[tf.newaxis], x)[0]
    return tf.linalg.matvec(x, ones, transpose_a=True)


class LayerNorm(Layer):
    """Gives the last axis mean `beta` and standard deviation `gamma`.

    Checkpoint: `LayerNorm/beta` [D] and `LayerNorm/gamma` [D].

    Args:
        size: width of the last axis, D.
        options: see `LayerOptions`.

    Call arguments:
        x: float [..., D], taken as float32 whatever the compute dtype.

    Returns:
        Like x, in the compute dtype.

    Source: Ba et al. 2016.
    """

    def __init__(self, size: int, options: LayerOptions):
        super().__init__(options, "LayerNorm", autocast=False)
        self.size = size

    def build(self, input_shape=None):
        self.beta = self.new_weight("beta", [self.size], "zeros")
        self.gamma = self.new_weight("gamma", [self.size], "ones")

    def call(self, x):
        normalize = _normalize_fused if uses_onednn_fusion() else _normalize
        x = normalize(
            tf.cast(x, tf.float32),
            tf.convert_to_tensor(self.gamma),
            tf.convert_to_tensor(self.beta),
            self.options.epsilon,
        )
        return tf.cast(x, self.compute_dtype)


def _normalize(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tf.Tensor:
    """Layer normalization, float32; x [..., D], gamma and beta [D].

    With a gradient of its own, which passes over memory half as often as the
    one that TensorFlow derives.
    """

    @own_gradient
    def affine(x, gamma, beta):
        centered = x - tf.reduce_mean(x, -1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centered), -1, keepdims=True)
        scale = tf.math.rsqrt(variance + epsilon)
        normal = centered * scale

        def gradient(dy):
            along_gamma = dy * normal
            # What moves the mean or the variance of a row has no effect. The
            # means over D are products, which write no [..., D] for it.
            weights = gamma[:, tf.newaxis] / tf.cast(tf.size(gamma), x.dtype)
            mean = tf.tensordot(dy, weights, 1)
            slope = tf.tensordot(along_gamma, weights, 1)
            dx = (dy * gamma - mean - normal * slope) * scale
            return dx, _sum_of_rows(along_gamma), _sum_of_rows(dy)

        return normal * gamma + beta, gradient

    return affine(x, gamma, beta)


def _normalize_fused(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tf.Tensor:
    """`_normalize` in the pattern that oneDNN fuses, which is Keras 2's.

    Each row is a channel to a batch normalization with an image of one row.
    """
    rows = tf.size(x) // tf.size(gamma)
    none = tf.zeros([0])
    normal = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(x, tf.stack([1, rows, gamma.shape[0], 1])),
        scale=tf.ones([rows]),
        offset=tf.zeros([rows]),
        mean=none,
        variance=none,
        epsilon=epsilon,
        data_format="NCHW",
        is_training=True,
    )
    return tf.reshape(normal.y, tf.shape(x)) * gamma + beta


class Embeddings(Layer):
    """Adds up what each token's piece, segment and position stand for.

    Checkpoint: `word_embeddings` [V, D], `token_type_embeddings`
    [type_vocab_size, D], `position_embeddings` [max_position_embeddings, D]
    and `LayerNorm`, under `bert/embeddings/`.

    Gradients: the word table's comes as IndexedSlices, a row a token; the
    clip norm of the original depends on it. The others are dense.

    Args:
        vocab_size: V.
        type_vocab_size: number of segments.
        max_position_embeddings: the longest sequence.
        hidden_size: D.
        dropout_rate: share dropped after the normalization.
        options: see `LayerOptions`.

    Call arguments:
        input_ids: int [B, S], each below V.
        segment_ids: int [B, S], each below type_vocab_size.
        seed: int32 [2] to drop by, or None.
        positions: int [B, S], each below max_position_embeddings; None: each
            row counts from 0.

    Returns:
        float [B, S, D].

    Source: Devlin et al. 2019, figure 2.
    """

    def __init__(
        self,
        vocab_size: int,
        type_vocab_size: int,
        max_position_embeddings: int,
        hidden_size: int,
        dropout_rate: float,
        options: LayerOptions,
    ):
        super().__init__(options, "embeddings")
        self.sizes = {
            "word_embeddings": vocab_size,
            "token_type_embeddings": type_vocab_size,
            "position_embeddings": max_position_embeddings,
        }
        self.hidden_size = hidden_size
        self.dropout_rate = dropout_rate
        self.layer_norm = LayerNorm(hidden_size, options)

    def build(self, input_shape=None):
        self.word_embeddings = self._new_table("word_embeddings")
        self.token_type_embeddings = self._new_table("token_type_embeddings")
        self.position_embeddings = self._new_table("position_embeddings")
        super().build()

    def _new_table(self, name: str) -> keras.Variable:
        return self.new_weight(name, [self.sizes[name], self.hidden_size])

    def call(self, input_ids, segment_ids, seed=None, positions=None):
        # As a tensor: gathering from the variable itself makes every other
        # read of it, such as the masked-LM head's, a copy of the table.
        table = tf.convert_to_tensor(self.word_embeddings)
        x = tf.gather(table, input_ids)
        x += self._segments(segment_ids)
        if positions is None:
            x += self.position_embeddings[: tf.shape(input_ids)[1]]
        else:
            x += _gather_dense(self.position_embeddings, positions)
        return dropout(self.layer_norm(x), self.dropout_rate, seed)

    def _segments(self, segment_ids: tf.Tensor) -> tf.Tensor:
        # A product, not a gather: the table is tiny, and its gradient must be
        # dense. float32 [B, S, D].
        one_hot = tf.one_hot(
            tf.reshape(segment_ids, [-1]), self.sizes["token_type_embeddings"]
        )
        rows = tf.matmul(one_hot, self.token_type_embeddings)
        return tf.reshape(
            rows, tf.concat([tf.shape(segment_ids), [self.hidden_size]], 0)
        )


def _gather_dense(weight: keras.Variable, indices: tf.Tensor) -> tf.Tensor:
    """Gathers rows of a table, whose gradient is dense: see `Embeddings`."""

    @own_gradient
    def gather(table):
        def gradient(dy):
            return tf.math.unsorted_segment_sum(dy, indices, table.shape[0])

        return tf.gather(table, indices), gradient

    return gather(tf.convert_to_tensor(weight))


class Pooler(Layer):
    """Makes the vector of a row, of what an encoder gives for it.

    Checkpoint: `dense`, under `<scope>/pooler/`.

    Args:
        hidden_size: D.
        options: see `LayerOptions`.

    Call arguments:
        x: float [B, D]; of a BERT what its last layer gives for [CLS].

    Returns:
        float [B, D], each from -1 to 1.
    """

    def __init__(self, hidden_size: int, options: LayerOptions):
        super().__init__(options, "pooler")
        self.dense = Dense(hidden_size, hidden_size, options, activation="tanh")

    def call(self, x):
        return self.dense(x)
