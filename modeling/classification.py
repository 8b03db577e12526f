"""One front for the three models of `classifiers`, by the task's kind.

Letters of shapes: B batch, L labels.
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from bert.modeling import losses
from bert.modeling.classifiers import (
    ClassifierModel,
    MultiLabelModel,
    RegressionModel,
)
from bert.modeling.config import BertConfig
from bert.modeling.task_model import Batch

# The models by what they say of a text: a label, any number of labels, a
# number.
MODELS = {
    "classification": ClassifierModel,
    "multi_label": MultiLabelModel,
    "regression": RegressionModel,
}


def output_weights(kind: str) -> str:
    """Returns the checkpoint name of the weights of a kind's head."""
    head = MODELS[kind].head_name
    return f"cls/{head}/output_weights" if head else "output_weights"


def make_model(
    kind: str,
    config: BertConfig,
    num_outputs: int,
    label_weights: Sequence[float] | None = None,
    compute_dtype: str = "float32",
    init_seed: int | None = None,
) -> ClassifierModel:
    """Returns a task's model.

    Args:
        kind: one of `MODELS`.
        config: the encoder's sizes.
        num_outputs: L; 1 in regression.
        label_weights: see the models; None in regression.
        compute_dtype: see the models.
        init_seed: see the models.
    """
    how = {"compute_dtype": compute_dtype, "init_seed": init_seed}
    if kind == "regression":
        return RegressionModel(config, **how)
    return MODELS[kind](config, num_outputs, label_weights=label_weights, **how)


def evaluated(
    kind: str, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns what an evaluation is made from, for each row.

    Returns:
        `logits` float32 [B, L], `label_ids` as in the batch, and `loss`
        float32 [B], for which all labels weigh the same: label weights are
        for training.
    """
    logits, label_ids = outputs["logits"], batch["label_ids"]
    if kind == "regression":
        loss = losses.squared_error(logits, label_ids)
    elif kind == "multi_label":
        weights = tf.ones(tf.shape(logits)[-1:])
        loss = losses.sigmoid_cross_entropy(logits, label_ids, weights)
    else:
        loss = losses.cross_entropy(logits, label_ids)
    return {"logits": logits, "label_ids": label_ids, "loss": loss}


def predicted(
    kind: str, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns `values`, float32 [B, L]: probabilities, or the number."""
    del batch  # other functions of this form look at it
    logits = outputs["logits"]
    if kind == "classification":
        logits = tf.nn.softmax(logits)
    elif kind == "multi_label":
        logits = tf.nn.sigmoid(logits)
    return {"values": logits}
