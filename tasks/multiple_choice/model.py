"""The model that chooses one of several texts.

Letters of shapes: B batch, C choices, S sequence, D hidden.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import keras
import tensorflow as tf

from bert.modeling.backbones.backbone import ModelOptions
from bert.modeling.config import BertConfig
from bert.modeling.losses import cross_entropy
from bert.modeling.task_model import TaskModel
from bert.tasks.spec import INPUTS

# Below every logit.
_NO_CHOICE = -1e30


@keras.saving.register_keras_serializable("bert")
class MultipleChoiceModel(TaskModel):
    """One of several texts: each is scored, and the best is chosen.

    Args:
        config: the encoder's sizes.
        dropout_rate: share of the pooled vector dropped, as in
            `ClassifierModel`.
        **options: see `ModelOptions`.

    Call arguments:
        batch: `input_ids`, `input_mask` and `segment_ids`, int [B, C, S]; a
            choice whose mask is all 0 is not there. For the losses also
            `label_ids`, int [B] or [B, 1], the numbers of the right ones.

    Returns:
        `logits` float32 [B, C], -1e30 for choices that are not there.

    Checkpoint: `output_weights` [1, D] and `output_bias` [1] at the root, as
    a classifier's; task.json tells them apart.

    Source: Devlin et al. 2019, section 4.4.
    """

    inputs: ClassVar[Mapping[str, Sequence[int | None]]] = {
        name: [None, None] for name in INPUTS
    }
    loss_name = "multiple_choice"

    def __init__(
        self,
        config: BertConfig,
        dropout_rate: float = 0.1,
        **options: Unpack[ModelOptions],
    ):
        super().__init__(config, "multiple_choice_model", **options)
        self.dropout_rate = dropout_rate
        self.scorer = self.new_head(1)

    def call(self, batch, training=False, seed=None):
        shape = tf.shape(batch["input_ids"])
        sequences = {
            name: tf.reshape(batch[name], [-1, shape[2]])
            for name in INPUTS
            if name in batch
        }
        pooled = self.pooled(sequences, training, seed, self.dropout_rate)
        logits = tf.reshape(self.scorer(pooled), shape[:2])
        if "input_mask" in batch:
            is_there = tf.reduce_any(batch["input_mask"] != 0, axis=-1)
            logits = tf.where(is_there, logits, _NO_CHOICE)
        return {"logits": logits}

    def row_losses(self, outputs, batch):
        return cross_entropy(outputs["logits"], batch["label_ids"])
