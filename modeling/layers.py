"""Layers that the whole model is made of, and the embeddings.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary.

A layer's name is its part of the checkpoint name, and all weights are created
by `build`, which needs no shape: a layer is told its sizes. Matrix products
run in the layer's compute dtype; weights, layer normalization and softmax are
float32.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from bert.modeling.activations import get_activation
from bert.modeling.export_mode import own_gradient
from bert.modeling.onednn_fusion import is_joined
from bert.modeling.randomness import WeightInitializer, dropout

LAYER_NORM_EPSILON = 1e-12


class Dense(keras.layers.Layer):
    """A matrix product, a bias and an activation.

    Checkpoint: `kernel` [input_size, units] and `bias` [units].

    Args:
        input_size: width of the input.
        units: width of the output.
        initializer: of the kernel; the bias starts at 0.
        activation: a name that `get_activation` knows.
        **kwargs: Keras' `name` and `dtype`.

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
        initializer: WeightInitializer,
        activation: str = "linear",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.input_size = input_size
        self.units = units
        self.initializer = initializer
        self.activation = get_activation(activation)

    def build(self, input_shape=None):
        self.kernel = self.add_weight(
            name="kernel",
            shape=[self.input_size, self.units],
            initializer=self.initializer(f"{self.path}/kernel"),
            autocast=False,
        )
        self.bias = self.add_weight(
            name="bias",
            shape=[self.units],
            initializer="zeros",
            autocast=False,
        )

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

    def join(weights, axis):
        scaled = [
            weight if scale == 1.0 else weight * scale
            for weight, scale in zip(weights, scales, strict=True)
        ]
        joined = scaled[0] if len(scaled) == 1 else tf.concat(scaled, axis)
        return tf.cast(joined, x.dtype)

    def part(gradient, axis):
        joined = tf.cast(gradient, tf.float32)
        parts = tf.split(joined, units, axis) if len(units) > 1 else [joined]
        return [
            each if scale == 1.0 else each * scale
            for each, scale in zip(parts, scales, strict=True)
        ]

    @own_gradient
    def affine(x, *weights):
        kernels, biases = weights[: len(layers)], weights[len(layers) :]

        def gradient(dy):
            # Made again: kept from the forward pass, all kernels together
            # would be a second encoder. After dy, or they would be kept.
            with tf.control_dependencies([dy]):
                kernel = join(kernels, 1)
            return (
                tf.matmul(dy, kernel, transpose_b=True),
                *part(tf.matmul(x, dy, transpose_a=True), 1),
                *part(_sum_of_rows(dy), 0),
            )

        product = tf.matmul(x, join(kernels, 1))
        return tf.nn.bias_add(product, join(biases, 0)), gradient

    return affine(
        x,
        *(tf.convert_to_tensor(layer.kernel) for layer, _ in layers),
        *(tf.convert_to_tensor(layer.bias) for layer, _ in layers),
    )


def _sum_of_rows(x: tf.Tensor) -> tf.Tensor:
    """Returns the sum over all axes but the last one, [units].

    As a product with a vector of ones, which takes half the time of
    TensorFlow's sum, or of its own gradient of a bias, on a CPU.
    """
    x = tf.reshape(x, [-1, x.shape[-1]])
    ones = tf.ones([tf.shape(x)[0]], x.dtype)
    return tf.linalg.matvec(x, ones, transpose_a=True)


class LayerNorm(keras.layers.Layer):
    """Gives the last axis mean `beta` and standard deviation `gamma`.

    Checkpoint: `LayerNorm/beta` [D] and `LayerNorm/gamma` [D].

    Args:
        size: width of the last axis, D.
        **kwargs: Keras' `dtype`.

    Call arguments:
        x: float [..., D], taken as float32 whatever the compute dtype.

    Returns:
        Like x, in the compute dtype.

    Source: Ba et al. 2016.
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(name="LayerNorm", autocast=False, **kwargs)
        self.size = size

    def build(self, input_shape=None):
        self.beta = self._add_vector("beta", "zeros")
        self.gamma = self._add_vector("gamma", "ones")

    def _add_vector(self, name: str, initializer: str) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=[self.size],
            initializer=initializer,
            autocast=False,
        )

    def call(self, x):
        normalize = _normalize_joined if is_joined() else _normalize
        x = normalize(
            tf.cast(x, tf.float32),
            tf.convert_to_tensor(self.gamma),
            tf.convert_to_tensor(self.beta),
        )
        return tf.cast(x, self.compute_dtype)


@own_gradient
def _normalize(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """Layer normalization, float32; x [..., D], gamma and beta [D].

    With a gradient of its own, which passes over memory half as often as the
    one that TensorFlow derives.
    """
    centered = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centered), -1, keepdims=True)
    scale = tf.math.rsqrt(variance + LAYER_NORM_EPSILON)
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


def _normalize_joined(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor
) -> tf.Tensor:
    """`_normalize` as Keras 2 wrote it, which oneDNN has an operation for.

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
        epsilon=LAYER_NORM_EPSILON,
        data_format="NCHW",
        is_training=True,
    )
    return tf.reshape(normal.y, tf.shape(x)) * gamma + beta


class Embeddings(keras.layers.Layer):
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
        initializer: of the three tables.
        **kwargs: Keras' `name` and `dtype`.

    Call arguments:
        input_ids: int [B, S], each below V.
        segment_ids: int [B, S], each below type_vocab_size.
        seed: int32 [2] to drop by, or None.

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
        initializer: WeightInitializer,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sizes = {
            "word_embeddings": vocab_size,
            "token_type_embeddings": type_vocab_size,
            "position_embeddings": max_position_embeddings,
        }
        self.hidden_size = hidden_size
        self.dropout_rate = dropout_rate
        self.initializer = initializer
        self.layer_norm = LayerNorm(hidden_size, dtype=self.dtype_policy)

    def build(self, input_shape=None):
        self.word_embeddings = self._add_table("word_embeddings")
        self.token_type_embeddings = self._add_table("token_type_embeddings")
        self.position_embeddings = self._add_table("position_embeddings")
        self.layer_norm.build()

    def _add_table(self, name: str) -> keras.Variable:
        # Cast rows, not tables: without autocast.
        return self.add_weight(
            name=name,
            shape=[self.sizes[name], self.hidden_size],
            initializer=self.initializer(f"{self.path}/{name}"),
            autocast=False,
        )

    def call(self, input_ids, segment_ids, seed=None):
        # As a tensor: gathering from the variable itself makes every other
        # read of it, such as the masked-LM head's, a copy of the table.
        table = tf.convert_to_tensor(self.word_embeddings)
        x = tf.gather(table, input_ids)
        x += self._segments(segment_ids)
        x += self.position_embeddings[: tf.shape(input_ids)[1]]
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
