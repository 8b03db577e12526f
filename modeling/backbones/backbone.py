"""The interface of encoders for tasks, training and exports.

Letters of shapes: B batch, S sequence, D hidden, V vocabulary.
"""

import os
from typing import Any, ClassVar, TypedDict

import keras

from bert.errors import UserError
from bert.modeling.config import BertConfig
from bert.modeling.keras_config import KerasConfig
from bert.modeling.layers import Layer, LayerOptions
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
        choose: picks the tokens whose output is wanted, a function of float
            [B, S, D] that returns [B, F, D], [CLS] first (those of all texts,
            in rows of several); None: all.
        with_attention: whether to return the attention probabilities.
        text_starts: int [B, T], only where the encoder `packs`: each row is
            up to T texts (`modeling.packed_rows`), and `pooled_output` has a
            vector for each, [B * T, D]. By default a row is one text.

    Returns:
        A dict of tensors in the compute dtype: `sequence_output` [B, S, D],
        or [B, F, D] of the chosen tokens, and `pooled_output` [B, D]. With
        attention also `attention_probs`, of each layer how much each token
        looks at each other one, before dropout: a list of float32 [B, N, S,
        S] (N heads) whose rows sum to 1.

    Raises:
        UserError: a value of the config cannot be, or the compute dtype is
            not known.
    """

    scope: ClassVar[str]
    required_scopes: ClassVar[tuple[str, ...]]
    packs: ClassVar[bool] = False

    def __init__(
        self,
        config: BertConfig,
        *,
        compute_dtype: str = "float32",
        init_seed: int | None = None,
    ):
        config.validate()
        config.check_memory(_memory_bytes())
        if compute_dtype not in _DTYPE_POLICIES:
            raise UserError(
                f"compute_dtype must be one of {', '.join(_DTYPE_POLICIES)}. "
                f"Received: {compute_dtype!r}."
            )
        super().__init__(
            LayerOptions(
                WeightInitializer(config.initializer_range, init_seed),
                _DTYPE_POLICIES[compute_dtype],
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

    def freeze(self, num_blocks: int) -> None:
        """Takes the embeddings and the first blocks out of training.

        Args:
            num_blocks: how many blocks; 0 for the embeddings alone.
        """
        raise NotImplementedError

    def freeze_pooler(self) -> None:
        """Takes out of training what only `pooled_output` comes from."""
        raise NotImplementedError

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
