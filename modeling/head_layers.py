"""The layers between the encoder and a task's logits.

Letters of shapes: D hidden, V vocabulary, L labels.
"""

import tensorflow as tf

from bert.modeling.layers import Dense, Layer, LayerNorm, LayerOptions


class OutputLayer(Layer):
    """Scores of labels: x times transposed weights, plus a bias.

    Checkpoint: `output_weights` [L, D] and `output_bias` [L].

    Args:
        num_labels: L.
        hidden_size: D.
        options: see `LayerOptions`; the bias starts at 0.
        name: see `Layer`.

    Call arguments:
        x: float [..., D].

    Returns:
        float32 [n, L], n rows in all.
    """

    def __init__(
        self,
        num_labels: int,
        hidden_size: int,
        options: LayerOptions,
        name: str,
    ):
        super().__init__(options, name)
        self.num_labels = num_labels
        self.hidden_size = hidden_size

    def build(self, input_shape=None):
        self.output_weights = self.new_weight(
            "output_weights", [self.num_labels, self.hidden_size]
        )
        self.output_bias = self.new_weight(
            "output_bias", [self.num_labels], "zeros"
        )

    def call(self, x):
        x = tf.reshape(x, [-1, self.hidden_size])
        weights = tf.cast(tf.convert_to_tensor(self.output_weights), x.dtype)
        logits = tf.matmul(x, weights, transpose_b=True)
        return tf.cast(logits, tf.float32) + self.output_bias


class MaskedLmTransform(Layer):
    """Maps a token's vector from the encoder's space to the word table's.

    Checkpoint: `dense` and `LayerNorm`, under `cls/predictions/transform/`.

    Args:
        hidden_size: D.
        activation: a name that `get_activation` knows.
        options: see `LayerOptions`.

    Call arguments:
        x: float [..., D].

    Returns:
        Like x.
    """

    def __init__(
        self, hidden_size: int, activation: str, options: LayerOptions
    ):
        super().__init__(options, "transform")
        self.dense = Dense(
            hidden_size, hidden_size, options, activation=activation
        )
        self.layer_norm = LayerNorm(hidden_size, options)

    def call(self, x):
        return self.layer_norm(self.dense(x))


class MaskedLmHead(Layer):
    """Scores every word piece for masked tokens, by the word table itself.

    Checkpoint: `transform` and `output_bias` [V], under `cls/predictions/`.

    Args:
        vocab_size: V.
        hidden_size: D.
        activation: a name that `get_activation` knows.
        options: see `LayerOptions`.

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
        options: LayerOptions,
    ):
        super().__init__(options, "predictions")
        self.vocab_size = vocab_size
        self.transform = MaskedLmTransform(hidden_size, activation, options)

    def build(self, input_shape=None):
        super().build()
        self.output_bias = self.new_weight(
            "output_bias", [self.vocab_size], "zeros"
        )

    def call(self, x, word_embeddings):
        x = tf.reshape(x, [-1, word_embeddings.shape[-1]])
        x = word_logits(self.transform(x), word_embeddings)
        return x + self.output_bias


def word_logits(x: tf.Tensor, word_table: tf.Tensor) -> tf.Tensor:
    """Returns products with the rows of a word table, float32 [n, V].

    Args:
        x: float [..., D], n vectors in all.
        word_table: float32 [V, D].
    """
    table = tf.cast(tf.convert_to_tensor(word_table), x.dtype)
    x = tf.reshape(x, [-1, table.shape[-1]])
    return tf.cast(tf.matmul(x, table, transpose_b=True), tf.float32)
