"""BertModel: embeddings, encoder and pooler.

Letters of shapes: B batch, S sequence, D hidden.
"""

import functools
from collections.abc import Sequence
from typing import NoReturn, Unpack

import keras
import tensorflow as tf

from bert.modeling import attention_probs, packed_rows
from bert.modeling.backbones.backbone import Backbone, ModelOptions
from bert.modeling.config import BertConfig
from bert.modeling.layers import Dense, Embeddings, Layer, LayerOptions
from bert.modeling.onednn_fusion import onednn_fusion
from bert.modeling.randomness import split_seed
from bert.modeling.transformer import BlockOptions, TransformerBlock

# Numbers that a block keeps for the backward pass, found by measuring
# (benchmarks/memory.py): multiples of a token's hidden size plus intermediate
# size, and of an attention weight.
_NUMBERS_PER_UNIT = 3.1
_NUMBERS_PER_ATTENTION_WEIGHT = 1.9

# Methods of the original's model, and where what they returned is now.
_GONE = {
    "get_all_encoder_layers": "model(input_ids)['all_encoder_layers']",
    "get_embedding_output": "model(input_ids)['embedding_output']",
    "get_embedding_table": "model.word_table",
    "get_pooled_output": "model(input_ids)['pooled_output']",
    "get_sequence_output": "model(input_ids)['sequence_output']",
}


class Encoder(Layer):
    """The stack of transformer blocks.

    Checkpoint: `layer_0`, `layer_1` …, under `bert/encoder/`.

    Args:
        num_blocks: how many.
        options: what each block is made with.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, S] or [B, S, S], see `SelfAttention`.
        seeds: for each block int32 [2] to drop by, or None.
        training: whether there will be a backward pass.
        choose: see `BertModel`.

    Returns:
        What each block gives, a list of float [B, S, D].

    Attributes:
        recomputes: in training, keep only what goes into each block, and
            compute the rest once more in the backward pass (Chen et al. 2016).
    """

    def __init__(self, num_blocks: int, options: BlockOptions):
        super().__init__(options, "encoder")
        self.blocks = [
            TransformerBlock(options, f"layer_{i}") for i in range(num_blocks)
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


class Pooler(Layer):
    """Makes one vector of a sequence, from its first token.

    Checkpoint: `dense`, under `bert/pooler/`.

    Args:
        hidden_size: D.
        options: see `LayerOptions`.

    Call arguments:
        hidden: float [B, S, D].

    Returns:
        float [B, D], each from -1 to 1.
    """

    def __init__(self, hidden_size: int, options: LayerOptions):
        super().__init__(options, "pooler")
        self.dense = Dense(hidden_size, hidden_size, options, activation="tanh")

    def call(self, hidden):
        return self.dense(hidden[:, 0])


@keras.saving.register_keras_serializable("bert")
class BertModel(Backbone):
    """BERT. Its weights bear their names in checkpoints, `bert/pooler/…`.

    Args and call arguments: those of `Backbone`. With `choose`, the last
    layer is computed for the chosen tokens alone, which saves most of its
    work.

    Returns:
        A dict of tensors in the compute dtype: `embedding_output` [B, S, D],
        `all_encoder_layers` (list of [B, S, D], the last layer last),
        `sequence_output` [B, S, D] (the last layer), `pooled_output` [B, D].
        The last layer has the chosen tokens only, [B, F, D]. On request
        `attention_probs`, see `Backbone`.

    Raises:
        UserError: S is larger than max_position_embeddings, or the compute
            dtype is not known, or ids come rounded, in float16 or bfloat16.
        ValueError: input_ids are no matrix.
        TypeError: it is made as the original is, with inputs.

    Source: Devlin et al. 2019, section 3; modeling.py of google-research/bert.
    """

    scope = "bert"
    required_scopes = ("bert/embeddings/", "bert/encoder/")
    packs = True

    def __init__(
        self,
        config: BertConfig,
        *inputs: object,
        **options: Unpack[ModelOptions],
    ):
        if inputs or not options.keys() <= ModelOptions.__annotations__.keys():
            raise TypeError(
                "BertModel(config) is a Keras layer without is_training and "
                "inputs, which are for its call. Write model = BertModel("
                "config), then outputs = model(input_ids, input_mask=…, "
                "segment_ids=…, training=…) and outputs['pooled_output']."
            )
        super().__init__(config, **options)
        self.embeddings = Embeddings(
            config.vocab_size,
            config.type_vocab_size,
            config.max_position_embeddings,
            config.hidden_size,
            config.hidden_dropout_prob,
            self.options,
        )
        self.encoder = Encoder(
            config.num_hidden_layers,
            BlockOptions(
                self.options.initializer,
                self.options.dtype,
                num_heads=config.num_attention_heads,
                head_size=config.hidden_size // config.num_attention_heads,
                intermediate_size=config.intermediate_size,
                activation=config.hidden_act,
                dropout_rate=config.hidden_dropout_prob,
                attention_dropout_rate=config.attention_probs_dropout_prob,
            ),
        )
        self.pooler = Pooler(config.hidden_size, self.options)
        self.build()

    def __getattr__(self, name: str) -> NoReturn:
        # Called only for what is no attribute.
        hint = f"; use {_GONE[name]}" if name in _GONE else ""
        raise AttributeError(f"BertModel has no {name!r}{hint}")

    @property
    def word_table(self) -> keras.Variable:
        return self.embeddings.word_embeddings

    def stages(self) -> Sequence[Layer]:
        return [self.embeddings, *self.encoder.blocks]

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
        positions = None
        if text_starts is not None:
            positions, input_mask = packed_rows.positions_and_mask(
                text_starts, input_mask
            )
        config = self.config
        seed = self.dropout_seeds.seed(
            training,
            seed,
            [config.hidden_dropout_prob, config.attention_probs_dropout_prob],
        )
        seeds = split_seed(seed, 1 + config.num_hidden_layers)

        with (
            onednn_fusion(not training),
            attention_probs.keeping(with_attention) as probs,
        ):
            embedded = self.embeddings(
                input_ids, segment_ids, seed=seeds[0], positions=positions
            )
            layers = self.encoder(
                embedded,
                input_mask,
                seeds=seeds[1:],
                training=training,
                choose=choose,
            )
        firsts = layers[-1]
        if text_starts is not None:
            firsts = packed_rows.firsts(firsts, text_starts, choose is not None)
        outputs = {
            "embedding_output": embedded,
            "all_encoder_layers": layers,
            "sequence_output": layers[-1],
            "pooled_output": self.pooler(firsts),
        }
        if with_attention:
            outputs["attention_probs"] = probs
        return outputs
