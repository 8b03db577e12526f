"""Gpt: transformer blocks in which a token sees only those before it.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary.
"""

from typing import Unpack

import keras
import tensorflow as tf

from bert.modeling.backbones.backbone import ModelOptions
from bert.modeling.backbones.transformer import Encoder, TransformerBackbone
from bert.modeling.config import BertConfig
from bert.modeling.layers import Layer, LayerOptions
from bert.modeling.randomness import dropout


class GptEmbeddings(Layer):
    """Adds up what each token's piece and position stand for.

    Checkpoint: `word_embeddings` [V, D] and `position_embeddings`
    [max_position_embeddings, D], under `gpt/embeddings/`.

    Args:
        config: the sizes.
        options: see `LayerOptions`.

    Call arguments:
        input_ids: int [B, S], each below V.
        segment_ids: change nothing.
        seed: int32 [2] to drop by, or None.

    Returns:
        float [B, S, D]. It is not normalized.
    """

    def __init__(self, config: BertConfig, options: LayerOptions):
        super().__init__(options, "embeddings")
        self.config = config

    def build(self, input_shape=None):
        config = self.config
        self.word_embeddings = self.new_weight(
            "word_embeddings", [config.vocab_size, config.hidden_size]
        )
        self.position_embeddings = self.new_weight(
            "position_embeddings",
            [config.max_position_embeddings, config.hidden_size],
        )

    def call(self, input_ids, segment_ids, seed=None):
        # As a tensor: see `modeling.layers.Embeddings`.
        table = tf.convert_to_tensor(self.word_embeddings)
        x = tf.gather(table, input_ids)
        x += self.position_embeddings[: tf.shape(input_ids)[1]]
        x = dropout(x, self.config.hidden_dropout_prob, seed)
        return tf.cast(x, self.compute_dtype)


@keras.saving.register_keras_serializable("bert")
class Gpt(TransformerBackbone):
    """OpenAI's first GPT; see docs/encoders.md.

    Its blocks are BERT's, but a token looks at itself and at those before it
    (`attention_mask` of the configuration: "bidirectional" for all). The vector
    of a row is that of its last token; there is no pooler.

    Args, call arguments and returns: those of `TransformerBackbone`.

    Source: Radford et al. 2018; train.py of openai/finetune-transformer-lm.
    """

    scope = "gpt"
    pooler = None
    required_scopes = ("gpt/embeddings/", "gpt/encoder/")
    layer_norm_epsilon = 1e-5

    def __init__(self, config: BertConfig, **options: Unpack[ModelOptions]):
        super().__init__(config, **options)
        self.embeddings = GptEmbeddings(config, self.options)
        self.encoder = Encoder(config, self.options)
        self.build()

    def attention_mask(self, input_mask):
        if not self.config.is_causal:
            return input_mask
        positions = tf.range(tf.shape(input_mask)[1])
        earlier = tf.expand_dims(positions, 1) >= positions
        return tf.expand_dims(input_mask, 1) * tf.cast(
            earlier, input_mask.dtype
        )

    def pool(self, run, input_mask, choose, text_starts=None):
        positions = tf.range(tf.shape(input_mask)[1])
        is_real = tf.cast(input_mask > 0, positions.dtype)
        last = tf.reduce_max(positions * is_real, 1, keepdims=True)

        def with_last(x):
            of_last = tf.gather(x, last, batch_dims=1)
            return tf.concat([of_last, choose(x)], 1)

        if choose is None:
            layers = run(None)
            pooled = tf.gather(layers[-1], last, batch_dims=1)
        else:
            layers = run(with_last)
            pooled, layers[-1] = layers[-1][:, :1], layers[-1][:, 1:]
        return layers, tf.squeeze(pooled, 1)
