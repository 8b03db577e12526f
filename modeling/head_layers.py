"""The layers between the encoder and a task's logits.

Letters of shapes: D hidden, V vocabulary, L labels.
"""

import keras
import tensorflow as tf

from bert.modeling.layers import Dense, LayerNorm
from bert.modeling.randomness import WeightInitializer


class OutputLayer(keras.layers.Layer):
    """Scores of labels: x times transposed weights, plus a bias.

    Checkpoint: `output_weights` [L, D] and `output_bias` [L].

    Args:
        num_labels: L.
        hidden_size: D.
        initializer: of the weights; the bias starts at 0.
        **kwargs: Keras' `name` and `dtype`.

    Call arguments:
        x: float [..., D].

    Returns:
        float32 [n, L], n rows in all.
    """

    def __init__(
        self,
        num_labels: int,
        hidden_size: int,
        initializer: WeightInitializer,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_labels = num_labels
        self.hidden_size = hidden_size
        self.initializer = initializer

    def build(self, input_shape=None):
        self.output_weights = self.add_weight(
            name="output_weights",
            shape=[self.num_labels, self.hidden_size],
            initializer=self.initializer(f"{self.path}/output_weights"),
        )
        self.output_bias = self.add_weight(
            name="output_bias",
            shape=[self.num_labels],
            initializer="zeros",
            autocast=False,
        )

    def call(self, x):
        x = tf.reshape(x, [-1, self.hidden_size])
        logits = tf.matmul(x, self.output_weights, transpose_b=True)
        return tf.cast(logits, tf.float32) + self.output_bias


class MaskedLmTransform(keras.layers.Layer):
    """Brings a token's vector from the encoder to the word table's space.

    Checkpoint: `dense` and `LayerNorm`, under `cls/predictions/transform/`.

    Args:
        hidden_size: D.
        activation: a name that `get_activation` knows.
        initializer: of the kernel.
        **kwargs: Keras' `name` and `dtype`.

    Call arguments:
        x: float [..., D].

    Returns:
        Like x.
    """

    def __init__(
        self,
        hidden_size: int,
        activation: str,
        initializer: WeightInitializer,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dense = Dense(
            hidden_size,
            hidden_size,
            initializer,
            activation,
            name="dense",
            dtype=self.dtype_policy,
        )
        self.layer_norm = LayerNorm(hidden_size, dtype=self.dtype_policy)

    def build(self, input_shape=None):
        self.dense.build()
        self.layer_norm.build()

    def call(self, x):
        return self.layer_norm(self.dense(x))


class MaskedLmHead(keras.layers.Layer):
    """Scores every word piece for masked tokens, by the word table itself.

    Checkpoint: `transform` and `output_bias` [V], under `cls/predictions/`.

    Args:
        vocab_size: V.
        hidden_size: D.
        activation: a name that `get_activation` knows.
        initializer: of the kernel.
        **kwargs: Keras' `name` and `dtype`.

    Call arguments:
        x: float [..., D], the encoder's vectors of the masked tokens.
        word_embeddings: float [V, D], the encoder's table.

    Returns:
        float32 [n, V], n tokens in all.

    Source: Devlin et al. 2019, section 3.1.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        activation: str,
        initializer: WeightInitializer,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocab_size = vocab_size
        self.transform = MaskedLmTransform(
            hidden_size,
            activation,
            initializer,
            name="transform",
            dtype=self.dtype_policy,
        )

    def build(self, input_shape=None):
        self.transform.build()
        self.output_bias = self.add_weight(
            name="output_bias",
            shape=[self.vocab_size],
            initializer="zeros",
            autocast=False,
        )

    def call(self, x, word_embeddings):
        x = tf.reshape(x, [-1, word_embeddings.shape[-1]])
        logits = tf.matmul(self.transform(x), word_embeddings, transpose_b=True)
        return tf.cast(logits, tf.float32) + self.output_bias
