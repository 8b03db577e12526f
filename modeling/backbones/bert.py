"""BertModel: embeddings, encoder and pooler.

Letters of shapes: B batch, S sequence, D hidden.
"""

import functools

import keras
import tensorflow as tf

from bert.errors import UserError
from bert.modeling.config import BertConfig
from bert.modeling.layers import Dense, Embeddings
from bert.modeling.onednn_fusion import joining
from bert.modeling.randomness import WeightInitializer, dropout_seed, split_seed
from bert.modeling.transformer import TransformerBlock

# Keras' names of "weights in float32, products in this dtype".
_DTYPE_POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


def dtype_policy(compute_dtype: str) -> str:
    """Returns the Keras dtype policy of a compute dtype.

    Raises:
        UserError: not one of float32, bfloat16 and float16.
    """
    if compute_dtype not in _DTYPE_POLICIES:
        raise UserError(
            f"compute_dtype must be one of {', '.join(_DTYPE_POLICIES)}. "
            f"Received: {compute_dtype!r}."
        )
    return _DTYPE_POLICIES[compute_dtype]


class Encoder(keras.layers.Layer):
    """The stack of transformer blocks.

    Checkpoint: `layer_0`, `layer_1` …, under `bert/encoder/`.

    Args:
        blocks: in their order; made by the caller, who knows their sizes.
        **kwargs: Keras' `name` and `dtype`.

    Call arguments:
        hidden: float [B, S, D].
        input_mask: int [B, S], 0 for tokens that none may look at.
        seeds: for each block int32 [2] to drop by, or None.
        training: whether there will be a backward pass.
        choose: see `BertModel`.

    Returns:
        What each block gives, a list of float [B, S, D].

    Attributes:
        recomputes: in training, keep only what goes into each block, and
            compute the rest once more in the backward pass (Chen et al. 2016).
    """

    def __init__(self, blocks: list[TransformerBlock], **kwargs):
        super().__init__(**kwargs)
        self.blocks = blocks
        self.recomputes = False

    def build(self, input_shape=None):
        for block in self.blocks:
            block.build()

    def call(self, hidden, input_mask, seeds, training=False, choose=None):
        outputs = []
        for block, seed in zip(self.blocks, seeds, strict=True):
            run = functools.partial(
                block,
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


class Pooler(keras.layers.Layer):
    """Makes one vector of a sequence, from its first token.

    Checkpoint: `dense`, under `bert/pooler/`.

    Args:
        hidden_size: D.
        initializer: of the kernel.
        **kwargs: Keras' `name` and `dtype`.

    Call arguments:
        hidden: float [B, S, D].

    Returns:
        float [B, D], each from -1 to 1.
    """

    def __init__(
        self, hidden_size: int, initializer: WeightInitializer, **kwargs
    ):
        super().__init__(**kwargs)
        self.dense = Dense(
            hidden_size,
            hidden_size,
            initializer,
            "tanh",
            name="dense",
            dtype=self.dtype_policy,
        )

    def build(self, input_shape=None):
        self.dense.build()

    def call(self, hidden):
        return self.dense(hidden[:, 0])


class BertModel(keras.layers.Layer):
    """BERT: tokens to vectors.

    Its weights exist once it is made, for any batch size and length; their
    paths are their names in checkpoints (`bert/pooler/dense/kernel`).

    Args:
        config: the sizes.
        compute_dtype: float32, bfloat16 or float16: of the matrix products.
            Weights, layer normalization and softmax are float32 always.
        init_seed: decides the start weights; None for other ones every time.

    Call arguments:
        input_ids: int [B, S].
        input_mask: int [B, S], 1 for real tokens, 0 for padding; by default
            all are real.
        segment_ids: int [B, S]; by default all 0.
        training: whether to drop.
        seed: int32 [2], decides what is dropped; needed if anything is.
        choose: picks the tokens whose output is wanted, a function of float
            [B, S, D] that returns [B, F, D], [CLS] first; None: all. The last
            layer is computed for them alone, which saves most of its work.

    Returns:
        A dict of tensors in the compute dtype: `embedding_output` [B, S, D],
        `all_encoder_layers` (list of [B, S, D], the last layer last),
        `sequence_output` [B, S, D] (the last layer), `pooled_output` [B, D].
        The last layer has the chosen tokens only, [B, F, D].

    Raises:
        UserError: S is larger than max_position_embeddings, or the compute
            dtype is not known.
        ValueError: training with dropout, but no seed.

    Source: Devlin et al. 2019, section 3; modeling.py of google-research/bert.
    """

    def __init__(
        self,
        config: BertConfig,
        *,
        compute_dtype: str = "float32",
        init_seed: int | None = None,
    ):
        config.validate()
        super().__init__(name="bert", dtype=dtype_policy(compute_dtype))
        self.config = config
        initializer = WeightInitializer(config.initializer_range, init_seed)
        self.embeddings = Embeddings(
            config.vocab_size,
            config.type_vocab_size,
            config.max_position_embeddings,
            config.hidden_size,
            config.hidden_dropout_prob,
            initializer,
            name="embeddings",
            dtype=self.dtype_policy,
        )
        self.encoder = Encoder(
            [
                self._make_block(initializer, f"layer_{i}")
                for i in range(config.num_hidden_layers)
            ],
            name="encoder",
            dtype=self.dtype_policy,
        )
        self.pooler = Pooler(
            config.hidden_size,
            initializer,
            name="pooler",
            dtype=self.dtype_policy,
        )
        self.build()

    def _make_block(
        self, initializer: WeightInitializer, name: str
    ) -> TransformerBlock:
        config = self.config
        return TransformerBlock(
            config.num_attention_heads,
            config.hidden_size // config.num_attention_heads,
            config.intermediate_size,
            config.hidden_act,
            config.hidden_dropout_prob,
            config.attention_probs_dropout_prob,
            initializer,
            name=name,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape=None):
        self.embeddings.build()
        self.encoder.build()
        self.pooler.build()

    def call(
        self,
        input_ids,
        input_mask=None,
        segment_ids=None,
        training=False,
        seed=None,
        choose=None,
    ):
        self._check_sequence_length(input_ids)
        if input_mask is None:
            input_mask = tf.ones_like(input_ids)
        if segment_ids is None:
            segment_ids = tf.zeros_like(input_ids)
        config = self.config
        seed = dropout_seed(
            training,
            seed,
            [config.hidden_dropout_prob, config.attention_probs_dropout_prob],
        )
        seeds = split_seed(seed, 1 + config.num_hidden_layers)

        with joining(not training):
            embedded = self.embeddings(input_ids, segment_ids, seed=seeds[0])
            layers = self.encoder(
                embedded,
                input_mask,
                seeds=seeds[1:],
                training=training,
                choose=choose,
            )
        return {
            "embedding_output": embedded,
            "all_encoder_layers": layers,
            "sequence_output": layers[-1],
            "pooled_output": self.pooler(layers[-1]),
        }

    def _check_sequence_length(self, input_ids: tf.Tensor) -> None:
        length = input_ids.shape[1]
        if length is not None:
            self.config.check_sequence_length(length)
            return
        limit = self.config.max_position_embeddings
        tf.debugging.assert_less_equal(
            tf.shape(input_ids)[1],
            limit,
            "Cannot use this sequence length because the BERT model was only "
            f"trained up to sequence length {limit}",
        )
