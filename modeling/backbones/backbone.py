"""The interface of encoders for tasks, training and exports.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary.
"""

import os
from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict

import keras
import tensorflow as tf

from bert.errors import UserError
from bert.modeling.backbones.choice import backbone_class
from bert.modeling.config import BertConfig
from bert.modeling.keras_config import KerasConfig
from bert.modeling.layers import LAYER_NORM_EPSILON, Layer, LayerOptions
from bert.modeling.old_functions import assert_rank
from bert.modeling.randomness import DropoutSeeds, WeightInitializer

# Keras' names of "weights in float32, products in this dtype".
_DTYPE_POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


class ModelOptions(TypedDict, total=False):
    """What every model is made with, beside its sizes.

    Attributes:
        compute_dtype: float32 (the default), bfloat16 or float16: of the
            matrix products. Weights, layer normalization and softmax are
            float32 always.
        init_seed: decides the start weights; None, the default, for other
            ones every time.
    """

    compute_dtype: str
    init_seed: int | None


def _memory_bytes() -> int:
    """Returns how much memory the machine has; much where it does not say.

    Linux gives out more than there is, and ends the process that uses it.
    """
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return 2**63


class Backbone(KerasConfig, Layer):
    """An encoder: tokens to vectors. The base class of all encoders.

    Its weights exist once it is made, for any batch size and length; their
    paths are their names in checkpoints.

    Class attributes:
        scope: its name, with which all its names in checkpoints begin.
        required_scopes: how the names of the weights begin that a checkpoint
            must have to be one of this encoder.
        packs: whether it takes rows of several texts, by `text_starts`.
        layer_norm_epsilon: added to variances in layer normalization.

    Attributes:
        pooler: what only `pooled_output` comes from; None: nothing does.

    Args:
        config: the sizes.
        compute_dtype: see `ModelOptions`.
        init_seed: see `ModelOptions`.

    Call arguments:
        input_ids: int [B, S].
        input_mask: int [B, S], 1 for real tokens, 0 for padding; by default
            all are real.
        segment_ids: int [B, S]; by default all 0.
        training: whether to drop.
        seed: int32 [2], decides what is dropped; by default it is drawn.
        choose: picks the tokens whose output is wanted, a function of what
            has the tokens on its second axis, [B, S, …], that returns [B, F,
            …], [CLS] first (those of all texts, in rows of several); None:
            all.
        with_attention: whether to return the attention probabilities.
        text_starts: int [B, T], only where the encoder `packs`: each row is
            up to T texts (`modeling.packed_rows`), and `pooled_output` has a
            vector for each, [B * T, D]. By default a row is one text.

    Returns:
        A dict of tensors in the compute dtype: `embedding_output` [B, S, D],
        `all_encoder_layers` (list of [B, S, D], the last layer last),
        `sequence_output` [B, S, D] (the last layer), `pooled_output` [B, D].
        The last layer has the chosen tokens only, [B, F, D]. With
        attention also `attention_probs`, of each layer how much each token
        looks at each other one, before dropout: a list of float32 [B, N, S,
        S] (N heads) whose rows sum to 1.

    Raises:
        UserError: a value of the config cannot be, or it is of another
            encoder, or the compute dtype is not known; S is larger than
            max_position_embeddings, or ids come rounded, in float16 or
            bfloat16; attention is asked for that there is not.
        ValueError: input_ids are no matrix.
    """

    scope: ClassVar[str]
    required_scopes: ClassVar[tuple[str, ...]]
    pooler: Layer | None
    packs: ClassVar[bool] = False
    layer_norm_epsilon: ClassVar[float] = LAYER_NORM_EPSILON

    def __init__(
        self,
        config: BertConfig,
        *,
        compute_dtype: str = "float32",
        init_seed: int | None = None,
    ):
        config.validate()
        config.check_memory(_memory_bytes())
        if not isinstance(self, backbone_class(config)):
            raise UserError(
                f"{type(self).__name__} is not the encoder of encoder_type "
                f"{config.encoder_type!r}; make it with make_backbone (bert."
                "modeling.backbones.choice)."
            )
        if compute_dtype not in _DTYPE_POLICIES:
            raise UserError(
                f"compute_dtype must be one of {', '.join(_DTYPE_POLICIES)}. "
                f"Received: {compute_dtype!r}."
            )
        super().__init__(
            LayerOptions(
                WeightInitializer(config.initializer_range, init_seed),
                _DTYPE_POLICIES[compute_dtype],
                self.layer_norm_epsilon,
            ),
            self.scope,
            # Under bfloat16, Keras would round ids that come as floats.
            autocast=False,
        )
        self.config = config
        self.init_seed = init_seed
        self.dropout_seeds = DropoutSeeds()

    def arguments(self) -> dict[str, Any]:
        return {
            "config": self.config,
            "compute_dtype": self.compute_dtype,
            "init_seed": self.init_seed,
        }

    @property
    def word_table(self) -> keras.Variable:
        """The vectors of all word pieces, float32 [V, D]."""
        raise NotImplementedError

    def stages(self) -> Sequence[Layer]:
        """Returns the embeddings, then the blocks in the order of the call."""
        raise NotImplementedError

    def freeze(self, num_blocks: int) -> None:
        """Takes the embeddings and the first blocks out of training.

        Args:
            num_blocks: how many blocks; 0 for the embeddings alone.
        """
        for stage in self.stages()[: 1 + num_blocks]:
            stage.trainable = False

    def freeze_pooler(self) -> None:
        """Takes the pooler out of training, if there is one."""
        if self.pooler:
            self.pooler.trainable = False

    def rate_factors(self, decay: float) -> dict[str, float]:
        """Returns what the learning rate of each weight is multiplied by.

        decay ** (L + 2 - depth) with L blocks: the embeddings have depth 0,
        block i has i + 1, the pooler L + 2, as a head above it.

        Args:
            decay: above 0; 1 for one rate.

        Returns:
            By the weights' paths.

        Raises:
            ValueError: a weight has no depth.

        Source: Howard and Ruder 2018, section 3.2; Clark et al. 2020
        (ELECTRA), appendix B.
        """
        stages = self.stages()
        top = len(stages) + 1
        pooler = self.pooler.weights if self.pooler else []
        depths = {weight.path: top for weight in pooler}
        for depth, stage in enumerate(stages):
            depths |= {weight.path: depth for weight in stage.weights}
        missing = [w.path for w in self.weights if w.path not in depths]
        if missing:
            raise ValueError(
                "Expected all weights of the encoder in its embeddings, its "
                f"blocks or its pooler. Received: {', '.join(missing)}."
            )
        return {path: decay ** (top - depth) for path, depth in depths.items()}

    def recompute_activations(self) -> None:
        """Makes training compute each block twice instead of keeping it."""
        raise NotImplementedError

    def count_activations(
        self, rows: int, seq_length: int, recomputes: bool
    ) -> float:
        """Returns about how many numbers a backward pass needs kept.

        Args:
            rows: rows of a batch.
            seq_length: their tokens.
            recomputes: whether activations are recomputed.
        """
        raise NotImplementedError

    def check_attention(self) -> None:
        """Raises UserError where the encoder has no attention to return."""

    def checked_inputs(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor | None,
        segment_ids: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the call's arguments as integers, those left out filled in.

        Args:
            input_ids: see the class.
            input_mask: see the class.
            segment_ids: see the class.

        Raises:
            UserError, ValueError: see the class.
        """
        assert_rank(input_ids, 2)
        self._check_sequence_length(input_ids)
        input_ids = _integers(input_ids)
        if input_mask is None:
            input_mask = tf.ones_like(input_ids)
        if segment_ids is None:
            segment_ids = tf.zeros_like(input_ids)
        return input_ids, input_mask, _integers(segment_ids)

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


def _integers(ids: tf.Tensor) -> tf.Tensor:
    """Returns ids as integers; Keras makes float32 of them by default."""
    if ids.dtype.is_integer:
        return ids
    if ids.dtype.size < 4:
        raise UserError(
            "Expected ids in integers, as of keras.Input([None], "
            f"dtype='int32'). Received: {ids.dtype.name}, which rounds them."
        )
    return tf.cast(ids, tf.int32)
