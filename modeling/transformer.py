"""The transformer block.

Letters of shapes: B batch, S sequence, N heads, H head size, D hidden = N * H,
I intermediate. Attention looks from F to T, both S long, except where only some
tokens' output is wanted.

    hidden ─┬─ attention/self ─ attention/output ─┬─ intermediate ─ output ─
            └───────────── added to ────┘         └──── added to ─────┘
"""

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from bert.modeling import attention_probs
from bert.modeling.export_mode import in_export_mode
from bert.modeling.layers import (
    Dense,
    Layer,
    LayerNorm,
    LayerOptions,
    side_by_side,
)
from bert.modeling.onednn_fusion import uses_onednn_fusion
from bert.modeling.randomness import drop, kept_scale, split_seed

# Added to the attention score of a masked token: after softmax, about 0.
MASKED_SCORE = -10000.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class BlockOptions(LayerOptions):
    """What a block and its layers are made with.

    Attributes:
        num_heads: number of heads, N.
        head_size: width of one head, H; the hidden size is D = N * H.
        intermediate_size: I.
        activation: a name that `get_activation` knows.
        dropout_rate: share of what each sublayer adds that is dropped in
            training, 0 to 1 (the chance of dropping, not of keeping).
        attention_dropout_rate: share of attention weights dropped.
    """

    num_heads: int
    head_size: int
    intermediate_size: int
    activation: str
    dropout_rate: float
    attention_dropout_rate: float

    @property
    def hidden_size(self) -> int:
        """D."""
        return self.num_heads * self.head_size


class SelfAttention(Layer):
    """Lets every token of a sequence look at every other one.

    Checkpoint: `query`, `key`, `value`, each `kernel` [D, D] and `bias` [D],
    under `bert/encoder/layer_<i>/attention/self/`.

    Args:
        options: see `BlockOptions`.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, T], 0 for tokens that none may look at; or int [B,
            F, T], 0 where F may not look at T.
        seed: int32 [2] to drop by, or None.
        queries: float [B, F, D], those tokens of `hidden` that look at all;
            None: every one.

    Returns:
        float [B, F, D], not yet projected or added to the input.

    Source: Vaswani et al. 2017, section 3.2.2; Devlin et al. 2019, section 3.
    """

    options: BlockOptions

    def __init__(self, options: BlockOptions):
        super().__init__(options, "self")
        size = options.hidden_size
        self.query, self.key, self.value = (
            Dense(size, size, options, name)
            for name in ("query", "key", "value")
        )

    def call(self, hidden, input_mask, seed=None, queries=None):
        dropout_rate = self.options.attention_dropout_rate
        query, key, value = self._project(
            hidden, queries, kept_scale(dropout_rate, seed)
        )
        # [B, N, F, T]; the mask is the same for every N.
        scores = tf.matmul(query, key, transpose_b=True)
        if attention_probs.are_kept() or not uses_onednn_fusion(scores.dtype):
            # oneDNN's softmax of bfloat16 computes in float32 itself. Its
            # gradient would not: the sum in it needs all digits.
            scores = tf.cast(scores, tf.float32)
        masked = 1.0 - tf.cast(input_mask, scores.dtype)
        # Not masked[:, None, None, :], which LiteRT cannot slice.
        masked = tf.expand_dims(masked, 1)
        if input_mask.shape.rank != 3:
            masked = tf.expand_dims(masked, 1)
        scores += masked * MASKED_SCORE
        weights = tf.nn.softmax(scores)
        attention_probs.keep(weights)
        weights = drop(tf.cast(weights, value.dtype), dropout_rate, seed)

        # [B, N, F, H] -> [B, F, N, H] -> [B, F, D]
        context = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        return tf.reshape(
            context, tf.shape(hidden if queries is None else queries)
        )

    def vectors(
        self, hidden: tf.Tensor, num_heads: int, scale: float = 1.0
    ) -> Sequence[tf.Tensor]:
        """Returns query, key and value of all tokens, each [B, R, S, D / R].

        For those who look at them, beside the layer's own call.

        Args:
            hidden: float [B, S, D], what goes into the layer.
            num_heads: R, the heads that the D numbers are cut into; divides D.
            scale: what to multiply them by.
        """
        layers = (self.query, self.key, self.value)
        return self._heads(
            hidden, [(layer, scale) for layer in layers], num_heads
        )

    def _project(
        self,
        hidden: tf.Tensor,
        queries: tf.Tensor | None,
        value_scale: float,
    ) -> Sequence[tf.Tensor]:
        """Returns query / sqrt(H), key and scaled value, each [B, N, S, H].

        The query is scaled before its product with the key, which would
        overflow in float16.
        """
        query = (self.query, 1.0 / math.sqrt(self.options.head_size))
        key = (self.key, 1.0)
        value = (self.value, value_scale)
        if queries is None:
            return self._heads(hidden, [query, key, value])
        return [
            *self._heads(queries, [query]),
            *self._heads(hidden, [key, value]),
        ]

    def _heads(
        self,
        x: tf.Tensor,
        layers: Sequence[tuple[Dense, float]],
        num_heads: int | None = None,
    ) -> Sequence[tf.Tensor]:
        """Returns what layers make of x [B, S, D], each [B, N, S, H].

        In one product, except in `export_mode`. N and H are the layer's own
        by default.
        """
        if in_export_mode() and len(layers) > 1:
            return [self._heads(x, [each], num_heads)[0] for each in layers]
        size = self.options.hidden_size
        num_heads = num_heads or self.options.num_heads
        rows = side_by_side(tf.reshape(x, [-1, size]), layers)
        batch, length = tf.unstack(tf.shape(x)[:2])
        heads = (batch, length, len(layers), num_heads, size // num_heads)
        return tf.unstack(
            tf.transpose(tf.reshape(rows, heads), [2, 0, 3, 1, 4])
        )


class ResidualOutput(Layer):
    """Ends a sublayer: projects, drops, adds the input, normalizes.

    Checkpoint: `dense` and `LayerNorm`, under
    `bert/encoder/layer_<i>/{attention/output,output}/`.

    Args:
        input_size: width of what the sublayer computed.
        options: see `BlockOptions`.

    Call arguments:
        x: float [B, S, input_size].
        residual: float [B, S, D], the sublayer's input.
        seed: int32 [2] to drop by, or None.

    Returns:
        float [B, S, D].

    Source: Vaswani et al. 2017, sections 3.1 and 5.4.
    """

    options: BlockOptions

    def __init__(self, input_size: int, options: BlockOptions):
        super().__init__(options, "output")
        self.dense = Dense(input_size, options.hidden_size, options)
        self.layer_norm = LayerNorm(options.hidden_size, options)

    def call(self, x, residual, seed=None):
        dropout_rate = self.options.dropout_rate
        x = self.dense(x, scale=kept_scale(dropout_rate, seed))
        x = drop(x, dropout_rate, seed)
        # float32: a sum of two bfloat16 would lose the smaller one's bits.
        return self.layer_norm(
            tf.cast(x, tf.float32) + tf.cast(residual, tf.float32)
        )


class Attention(Layer):
    """The first sublayer of a block: self-attention and what ends it.

    Checkpoint: `self` and `output`, under
    `bert/encoder/layer_<i>/attention/`.

    Args:
        options: see `BlockOptions`.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, S] or [B, S, S], see `SelfAttention`.
        attention_seed: int32 [2] to drop attention weights by, or None.
        seed: int32 [2] to drop the projection by, or None.
        choose: see `TransformerBlock`.

    Returns:
        float [B, S, D], or of the chosen tokens.
    """

    def __init__(self, options: BlockOptions):
        super().__init__(options, "attention")
        self.self_attention = SelfAttention(options)
        self.residual_output = ResidualOutput(options.hidden_size, options)

    def call(
        self, hidden, input_mask, attention_seed=None, seed=None, choose=None
    ):
        queries = choose(hidden) if choose else None
        if choose and input_mask.shape.rank == 3:
            input_mask = choose(input_mask)  # it has rows for tokens, too
        x = self.self_attention(
            hidden, input_mask, seed=attention_seed, queries=queries
        )
        return self.residual_output(
            x, hidden if queries is None else queries, seed=seed
        )


class Intermediate(Layer):
    """The wide layer of a block's second sublayer.

    Checkpoint: `dense`, under `bert/encoder/layer_<i>/intermediate/`.

    Args:
        options: see `BlockOptions`.

    Call arguments:
        hidden: float [B, S, D].

    Returns:
        float [B, S, I].
    """

    def __init__(self, options: BlockOptions):
        super().__init__(options, "intermediate")
        self.dense = Dense(
            options.hidden_size,
            options.intermediate_size,
            options,
            activation=options.activation,
        )

    def call(self, hidden):
        return self.dense(hidden)


class TransformerBlock(Layer):
    """Attention, then a wide and a narrow dense layer, each on a residual.

    Checkpoint: `attention`, `intermediate` and `output`, under
    `bert/encoder/layer_<i>/`.

    Args:
        options: see `BlockOptions`.
        name: see `Layer`.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, S] or [B, S, S], see `SelfAttention`.
        seed: int32 [2] to drop by, or None.
        choose: picks the tokens that the block is computed for, a function of
            [B, S, …] that returns [B, F, …]; None: all tokens.

    Returns:
        float [B, S, D], or [B, F, D] of the chosen tokens.

    Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(self, options: BlockOptions, name: str):
        super().__init__(options, name)
        self.attention = Attention(options)
        self.intermediate = Intermediate(options)
        self.residual_output = ResidualOutput(
            options.intermediate_size, options
        )

    def freeze_output(self) -> None:
        """Takes out of training what comes behind query, key and value."""
        for part in (
            self.attention.residual_output,
            self.intermediate,
            self.residual_output,
        ):
            part.trainable = False

    def call(self, hidden, input_mask, seed=None, choose=None):
        seeds = split_seed(seed, 3)
        hidden = self.attention(
            hidden,
            input_mask,
            attention_seed=seeds[0],
            seed=seeds[1],
            choose=choose,
        )
        return self.residual_output(
            self.intermediate(hidden), hidden, seed=seeds[2]
        )
