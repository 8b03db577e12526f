"""What encoders other than BERT share: embeddings, blocks and a pooler.

Letters of shapes: B batch, S sequence, D hidden.
"""

import functools
from typing import ClassVar, Unpack

import keras
import tensorflow as tf

from bert.errors import UserError
from bert.modeling.backbones.backbone import Backbone, ModelOptions
from bert.modeling.config import BertConfig
from bert.modeling.layers import Embeddings, Layer, LayerOptions, Pooler
from bert.modeling.randomness import split_seed


class Block(Layer):
    """A layer of a `Stack`; what it is made of is in the subclasses.

    Checkpoint: under `encoder/layer_<i>/`.

    Args:
        config: the sizes.
        options: see `LayerOptions`.
        name: see `Layer`.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, S], 0 for padding, which changes nothing.
        seed: int32 [2] to drop by, or None.

    Returns:
        float [B, S, D], and what the pooler makes a row's vector of if this is
        the last block: float [B, D].
    """

    def __init__(self, config: BertConfig, options: LayerOptions, name: str):
        super().__init__(options, name)
        self.dropout_rate = config.hidden_dropout_prob


class Stack(Backbone):
    """BERT's embeddings, blocks one after the other, and a pooler.

    Checkpoint: `embeddings`, `layer_0`, `layer_1` … and `pooler`, under
    `encoder/`.

    Class attributes:
        block_class: of the blocks.
        kept_per_unit: how many numbers a block keeps for the backward pass,
            as a multiple of a token's hidden size.

    Args, call arguments and returns: those of `Backbone`.
    """

    scope = "encoder"
    required_scopes = ("encoder/embeddings/", "encoder/layer_")
    block_class: ClassVar[type[Block]]
    kept_per_unit: ClassVar[float]
    pooler: Pooler

    def __init__(self, config: BertConfig, **options: Unpack[ModelOptions]):
        super().__init__(config, **options)
        self.embeddings = Embeddings(
            config.vocab_size,
            config.type_vocab_size,
            config.max_position_embeddings,
            config.hidden_size,
            config.hidden_dropout_prob,
            self.options,
        )
        self.blocks = [
            self.block_class(config, self.options, f"layer_{i}")
            for i in range(config.num_hidden_layers)
        ]
        self.pooler = Pooler(config.hidden_size, self.options)
        self.recomputes = False
        self.build()

    def build(self, input_shape=None):
        super().build()
        for block in self.blocks:
            block.build()

    @property
    def word_table(self) -> keras.Variable:
        return self.embeddings.word_embeddings

    def stages(self):
        return [self.embeddings, *self.blocks]

    def recompute_activations(self) -> None:
        self.recomputes = True

    def check_attention(self) -> None:
        raise UserError(
            f"An encoder of encoder_type {self.config.encoder_type!r} has no "
            "attention to show; that of 'bert' has."
        )

    def count_activations(
        self, rows: int, seq_length: int, recomputes: bool
    ) -> float:
        units = rows * seq_length * self.config.hidden_size
        num_blocks = len(self.blocks)
        if recomputes:
            return units * (self.kept_per_unit + num_blocks)
        return units * self.kept_per_unit * num_blocks

    def call(
        self,
        input_ids,
        input_mask=None,
        segment_ids=None,
        training=False,
        seed=None,
        choose=None,
        with_attention=False,
    ):
        if with_attention:
            self.check_attention()
        input_ids, input_mask, segment_ids = self.checked_inputs(
            input_ids, input_mask, segment_ids
        )
        seed = self.dropout_seeds.seed(
            training, seed, [self.config.hidden_dropout_prob]
        )
        first, *seeds = split_seed(seed, 1 + len(self.blocks))
        embedded = self.embeddings(input_ids, segment_ids, seed=first)
        hidden, layers = embedded, []
        for block, own_seed in zip(self.blocks, seeds, strict=True):
            run = functools.partial(
                block.__call__, input_mask=input_mask, seed=own_seed
            )
            if self.recomputes and training:
                run = tf.recompute_grad(run)
            hidden, summary = run(hidden)
            layers.append(hidden)
        if choose:
            layers[-1] = choose(layers[-1])
        return {
            "embedding_output": embedded,
            "all_encoder_layers": layers,
            "sequence_output": layers[-1],
            "pooled_output": self.pooler(summary),
        }
