"""Task models that say something of a whole text or pair of texts.

Letters of shapes: B batch, W windows of a text, S sequence, D hidden, L labels.
"""

from collections.abc import Sequence
from typing import Unpack

import keras
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import window_logits
from bert.modeling.backbones.backbone import ModelOptions
from bert.modeling.config import BertConfig
from bert.modeling.head_layers import word_logits
from bert.modeling.losses import (
    cross_entropy,
    sigmoid_cross_entropy,
    squared_error,
)
from bert.modeling.task_model import LossWeight, TaskModel


@keras.saving.register_keras_serializable("bert")
class ClassifierModel(TaskModel):
    """One label for a text or a pair of texts.

    Args:
        config: the encoder's sizes.
        num_labels: L.
        dropout_rate: share of the pooled vector dropped; 0.1 in the original
            whatever the config says.
        label_weights: what a row of each label counts in training, L numbers;
            None: all the same.
        window_pooling: of texts that come as windows: "mean" or "max"; how the
            windows' logits become the text's.
        lm_loss_weight: what the loss of the language model counts, which is
            added in training: how well each token tells the next one. The
            words' scores are products with the word table. 0: there is none.
            Only where a token does not see the next one.
        **options: see `ModelOptions`.

    Call arguments:
        batch: `input_ids`, `input_mask` and `segment_ids` are int [B, S], or
            [B, W, S] of texts in windows, where a window whose mask is all 0
            is not there. For the losses also `label_ids`, int [B] or [B, 1],
            and optionally `is_real_example`, [B] or [B, 1], 0 for rows that
            only fill up the batch.

    Returns:
        `logits` float32 [B, L]; in training with the language model also its
        `word_logits`, float32 [B * (S - 1), V].

    Checkpoint: the head's `output_weights` and `output_bias` stand at the
    root, as in the original. Those of the subclasses, which mean something
    else, stand under `cls/<head_name>/`, so that none is taken for another.

    Source: Devlin et al. 2019, section 4.1; of the language model Radford et
    al. 2018, section 3.2.
    """

    loss_name = "classification"

    def __init__(
        self,
        config: BertConfig,
        num_labels: int,
        dropout_rate: float = 0.1,
        label_weights: Sequence[float] | None = None,
        window_pooling: str = "mean",
        lm_loss_weight: float = 0.0,
        **options: Unpack[ModelOptions],
    ):
        if lm_loss_weight and not config.is_causal:
            raise UserError(
                "lm_loss_weight needs an encoder whose tokens do not see the "
                "next one, which they are to tell: encoder_type gpt with "
                "attention_mask causal. Received: encoder_type "
                f"{config.encoder_type}, attention_mask {config.mask_name}."
            )
        super().__init__(config, "classifier_model", **options)
        self.num_labels = num_labels
        self.dropout_rate = dropout_rate
        self.label_weights = tuple(label_weights or [1.0] * num_labels)
        self.window_pooling = window_pooling
        self.lm_loss_weight = lm_loss_weight
        self.classifier = self.new_head(num_labels)

    def call(self, batch, training=False, seed=None):
        def logits_of(rows):
            pooled = self.pooled(rows, training, seed, self.dropout_rate)
            return self.classifier(pooled)

        if training and self.lm_loss_weight:
            return self._with_words(batch, seed)
        if batch["input_ids"].shape.rank < 3:
            return {"logits": logits_of(batch)}
        windows = {k: batch[k] for k in self.inputs if k in batch}
        there = window_logits.is_there(windows["input_mask"])
        logits = window_logits.of_texts(windows, there, logits_of)
        pool = window_logits.POOLINGS[self.window_pooling]
        return {"logits": pool(logits, there)}

    def _with_words(self, batch, seed):
        """Returns the outputs in training with the language model."""
        pooled, hidden = self.pooled_and_chosen(
            *(batch, True, seed, self.dropout_rate),
            choose=lambda x: x[:, :-1],
        )
        return {
            "logits": self.classifier(pooled),
            "word_logits": word_logits(hidden, self.backbone.word_table),
        }

    def loss_weights(self, batch):
        weights = super().loss_weights(batch)
        if self.lm_loss_weight:
            # Of a row all tokens together count as much as its label does.
            mask = tf.cast(batch["input_mask"][:, 1:], tf.float32)
            length = tf.reduce_sum(mask, 1, keepdims=True)
            rows = TaskModel.row_weights(self, batch)[:, tf.newaxis]
            share = rows * mask / tf.maximum(length, 1.0)
            weights["language_model"] = LossWeight(tf.reshape(share, [-1]), 0.0)
        return weights

    def losses(self, outputs, batch):
        losses = super().losses(outputs, batch)
        if self.lm_loss_weight:
            losses["language_model"] = self.lm_loss_weight * cross_entropy(
                outputs["word_logits"], batch["input_ids"][:, 1:]
            )
        return losses

    def row_weights(self, batch):
        return super().row_weights(batch) * tf.gather(
            tf.constant(self.label_weights),
            tf.reshape(batch["label_ids"], [-1]),
        )

    def row_losses(self, outputs, batch):
        return cross_entropy(outputs["logits"], batch["label_ids"])


@keras.saving.register_keras_serializable("bert")
class MultiLabelModel(ClassifierModel):
    """Any number of labels for a text or a pair of texts.

    Args, call arguments and returns: those of `ClassifierModel`, but
    `label_ids` is int [B, L], 1 for the labels that a row has, and
    `label_weights` is what a label counts where a row has it.
    """

    loss_name = head_name = "multi_label"

    # Label weights count in the losses instead.
    row_weights = TaskModel.row_weights

    def row_losses(self, outputs, batch):
        return sigmoid_cross_entropy(
            outputs["logits"],
            batch["label_ids"],
            tf.constant(self.label_weights),
        )


@keras.saving.register_keras_serializable("bert")
class RegressionModel(ClassifierModel):
    """A number for a text or a pair of texts; learns by squared error.

    Args, call arguments and returns: those of `ClassifierModel` with L = 1,
    but `label_ids` is float [B] or [B, 1].
    """

    loss_name = head_name = "regression"

    row_weights = TaskModel.row_weights

    def row_losses(self, outputs, batch):
        return squared_error(outputs["logits"], batch["label_ids"])
