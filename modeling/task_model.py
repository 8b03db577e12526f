"""What a training loop needs of a task, whichever it is.

A loop minimizes the sum over a task's losses of

    sum(weights * losses) / (sum(weights) + epsilon)

and adds up sum(weights) over all parts of a batch, in time or on devices,
before it divides.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from bert.modeling.backbones.bert import BertModel
from bert.modeling.config import BertConfig

Batch = Mapping[str, tf.Tensor]

# Of the heads that fine-tuning starts afresh, whatever the config says.
FRESH_HEAD_STDDEV = 0.02


class LossWeight(NamedTuple):
    """What the losses of a batch are weighted and divided by.

    Attributes:
        weights: float32 [n], one for each loss.
        epsilon: added, once, to the sum of all weights.
    """

    weights: tf.Tensor
    epsilon: float


class TaskModel(keras.layers.Layer):
    """What a training loop needs of a task; the base of all task models.

    Its weights exist once it is made. `losses` divided as told above is the
    task's loss.

    Args:
        config: the encoder's sizes.
        name: in front of the names of the task's own weights.
        compute_dtype: see `BertModel`.
        init_seed: see `BertModel`; decides the head's weights too.

    Attributes:
        bert: the encoder.

    Call arguments:
        batch: tensors by name: `input_ids`, `input_mask` and `segment_ids`,
            int [B, S], and what the task adds.
        training: whether to drop.
        seed: int32 [2], decides what is dropped; needed if anything is.

    Returns:
        A dict of float32 tensors.
    """

    def __init__(
        self,
        config: BertConfig,
        name: str,
        compute_dtype: str,
        init_seed: int | None,
    ):
        # Without autocast: under a global policy of bfloat16, Keras would
        # round the batch's weights.
        super().__init__(name=name, autocast=False)
        self.bert = BertModel(
            config, compute_dtype=compute_dtype, init_seed=init_seed
        )

    def freeze(self, num_layers: int) -> None:
        """Takes the embeddings and the first layers out of training.

        Args:
            num_layers: how many layers; 0 for the embeddings alone.
        """
        self.bert.embeddings.trainable = False
        for block in self.bert.encoder.blocks[:num_layers]:
            block.trainable = False

    def recompute_activations(self) -> None:
        """Makes training compute each layer twice instead of keeping it."""
        self.bert.encoder.recomputes = True

    def encode(
        self,
        batch: Batch,
        training: bool,
        seed: tf.Tensor | None,
        choose: Callable[[tf.Tensor], tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        """Returns what the encoder makes of a batch; as `BertModel` does."""
        return self.bert(
            batch["input_ids"],
            input_mask=batch["input_mask"],
            segment_ids=batch["segment_ids"],
            training=training,
            seed=seed,
            choose=choose,
        )

    def loss_weights(self, batch: Batch) -> dict[str, LossWeight]:
        """Returns the weights of each loss, from the batch alone."""
        raise NotImplementedError

    def losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """Returns the losses, float32 [n], by the names of `loss_weights`.

        Args:
            outputs: what the model made of this batch.
            batch: with the labels.
        """
        raise NotImplementedError


def one_a_row(batch: Batch) -> tf.Tensor:
    """Returns the weights of losses that all count alike, float32 [B]."""
    return tf.ones(tf.shape(batch["input_ids"])[:1])
