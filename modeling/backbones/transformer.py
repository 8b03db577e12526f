"""What encoders of transformer blocks share: BERT and GPT.

Letters of shapes: B batch, S sequence, D hidden.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from bert.modeling import attention_probs, packed_rows
from bert.modeling.backbones.backbone import Backbone
from bert.modeling.config import BertConfig
from bert.modeling.layers import Layer, LayerOptions
from bert.modeling.onednn_fusion import onednn_fusion
from bert.modeling.randomness import split_seed
from bert.modeling.transformer import BlockOptions, TransformerBlock

# Numbers that a block keeps for the backward pass, found by measuring
# (benchmarks/memory.py): multiples of a token's hidden size plus intermediate
# size, and of an attention weight.
_NUMBERS_PER_UNIT = 3.1
_NUMBERS_PER_ATTENTION_WEIGHT = 1.9

Choose = Callable[[tf.Tensor], tf.Tensor]

# What `TransformerBackbone.relation_vectors` returns.
RELATED = ("queries", "keys", "values")


class Encoder(Layer):
    """The stack of transformer blocks.

    Checkpoint: `layer_0`, `layer_1` …, under `<scope>/encoder/`.

    Args:
        config: the sizes.
        options: see `LayerOptions`.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, S] or [B, S, S], see `SelfAttention`.
        seeds: for each block int32 [2] to drop by, or None.
        training: whether there will be a backward pass.
        choose: see `TransformerBackbone`.

    Returns:
        What each block gives, a list of float [B, S, D].

    Attributes:
        recomputes: in training, keep only what goes into each block, and
            compute the rest once more in the backward pass (Chen et al. 2016).
    """

    def __init__(self, config: BertConfig, options: LayerOptions):
        super().__init__(options, "encoder")
        of_blocks = BlockOptions(
            options.initializer,
            options.dtype,
            options.epsilon,
            num_heads=config.num_attention_heads,
            head_size=config.hidden_size // config.num_attention_heads,
            intermediate_size=config.intermediate_size,
            activation=config.hidden_act,
            dropout_rate=config.hidden_dropout_prob,
            attention_dropout_rate=config.attention_probs_dropout_prob,
        )
        self.blocks = [
            TransformerBlock(of_blocks, f"layer_{i}")
            for i in range(config.num_hidden_layers)
        ]
        self.recomputes = False

    def build(self, input_shape=None):
        for block in self.blocks:
            block.build()

    def call(self, hidden, input_mask, seeds, training=False, choose=None):
        outputs = []
        for block, seed in zip(self.blocks, seeds, strict=True):
            run = functools.partial(
                block.__call__,
                input_mask=input_mask,
                seed=seed,
                choose=choose if block is self.blocks[-1] else None,
            )
            if self.recomputes and training:
                # Dropout is a function of the seed: the same masks again.
                run = tf.recompute_grad(run)
            hidden = run(hidden)
            outputs.append(hidden)
        return outputs


class TransformerBackbone(Backbone):
    """Embeddings, and transformer blocks on them.

    Args and returns: those of `Backbone`; a subclass makes `embeddings` and
    `encoder`.

    Call arguments: those of `Backbone`. With `choose`, the last layer is
    computed for the chosen tokens alone, which saves most of its work; it is
    called with what has the tokens on its second axis, [B, S, …].
    """

    embeddings: Layer
    encoder: Encoder

    @property
    def word_table(self) -> keras.Variable:
        return self.embeddings.word_embeddings

    def stages(self) -> Sequence[Layer]:
        return [self.embeddings, *self.encoder.blocks]

    def relation_vectors(
        self, outputs: Mapping[str, Any], layer: int, num_heads: int
    ) -> dict[str, tf.Tensor]:
        """Returns `queries`, `keys` and `values` of a layer, for all tokens.

        Cut into other heads than the layer's own, and divided by the fourth
        root of their size: products of two are scaled as attention scores are.

        Args:
            outputs: what a call has returned.
            layer: from 0.
            num_heads: R, which divides D.

        Returns:
            Each [B, R, S, D / R], in the compute dtype.
        """
        hidden = [outputs["embedding_output"], *outputs["all_encoder_layers"]]
        # Of what goes into the layer, which computes the last layer's queries
        # of chosen tokens alone, and keeps none where it is recomputed.
        attention = self.encoder.blocks[layer].attention.self_attention
        scale = (self.config.hidden_size / num_heads) ** -0.25
        vectors = attention.vectors(hidden[layer], num_heads, scale)
        return dict(zip(RELATED, vectors, strict=True))

    def recompute_activations(self) -> None:
        self.encoder.recomputes = True

    def count_activations(
        self, rows: int, seq_length: int, recomputes: bool
    ) -> float:
        config = self.config
        tokens = rows * seq_length
        units = config.hidden_size + config.intermediate_size
        attention = config.num_attention_heads * seq_length
        block = tokens * (
            units * _NUMBERS_PER_UNIT
            + attention * _NUMBERS_PER_ATTENTION_WEIGHT
        )
        num_blocks = config.num_hidden_layers
        if recomputes:
            return block + num_blocks * tokens * config.hidden_size
        return num_blocks * block

    def attention_mask(self, input_mask: tf.Tensor) -> tf.Tensor:
        """Returns which tokens may be looked at: see `SelfAttention`.

        Args:
            input_mask: int [B, S], 0 for padding.
        """
        return input_mask

    def pool(
        self,
        run: Callable[[Choose | None], list[tf.Tensor]],
        input_mask: tf.Tensor,
        choose: Choose | None,
        text_starts: tf.Tensor | None = None,
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Returns what each layer gives, and the vector of each row, [B, D].

        Args:
            run: runs the blocks; the last one for the tokens that its argument
                chooses.
            input_mask: int [B, S], 0 for padding.
            choose: see the class.
            text_starts: see `Backbone`; then a vector of each text.
        """
        raise NotImplementedError

    def call(
        self,
        input_ids,
        input_mask=None,
        segment_ids=None,
        training=False,
        seed=None,
        choose=None,
        with_attention=False,
        text_starts=None,
    ):
        input_ids, input_mask, segment_ids = self.checked_inputs(
            input_ids, input_mask, segment_ids
        )
        config = self.config
        seed = self.dropout_seeds.seed(
            training,
            seed,
            [config.hidden_dropout_prob, config.attention_probs_dropout_prob],
        )
        first, *seeds = split_seed(seed, 1 + config.num_hidden_layers)

        with (
            onednn_fusion(not training),
            attention_probs.keeping(with_attention) as probs,
        ):
            positions, mask = {}, self.attention_mask(input_mask)
            if text_starts is not None:
                found, mask = packed_rows.positions_and_mask(text_starts, mask)
                positions = {"positions": found}
            embedded = self.embeddings(
                input_ids, segment_ids, seed=first, **positions
            )

            def run(choose):
                return self.encoder(
                    *(embedded, mask),
                    seeds=seeds,
                    training=training,
                    choose=choose,
                )

            layers, pooled = self.pool(run, input_mask, choose, text_starts)
        outputs = {
            "embedding_output": embedded,
            "all_encoder_layers": layers,
            "sequence_output": layers[-1],
            "pooled_output": pooled,
        }
        if with_attention:
            outputs["attention_probs"] = probs
        return outputs
