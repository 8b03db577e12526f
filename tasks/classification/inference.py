"""Trained classifiers: one label, several labels, or a number of a text.

Letters of shapes: B batch, L labels.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from bert.data.records import fields as record_fields
from bert.data.records.fields import Field
from bert.evaluation import classification
from bert.modeling.classifiers import (
    ClassifierModel,
    MultiLabelModel,
    RegressionModel,
)
from bert.tasks.inference import Arrays
from bert.tasks.requests import numbers_of
from bert.tasks.text_inference import TextInference


class _Classification(TextInference):
    """What the kinds share.

    Attributes:
        kind: the name of the kind.
        values_name: the export's name of what `values` returns.
    """

    kind: ClassVar[str]
    measure = "eval_accuracy"
    values_name: ClassVar[str] = "probabilities"

    def values(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what logits [B, L] mean, [B, L]."""
        raise NotImplementedError

    def outputs(self, model, batch, names):
        """Returns the values and the logits."""
        logits = model(batch)["logits"]
        return {self.values_name: self.values(logits), "logits": logits}

    def fields(self, seq_length: int) -> Sequence[Field]:
        """Returns the fields of run_classifier.py's records."""
        return record_fields.classification_fields(
            seq_length, kind=self.kind, num_labels=len(self.labels)
        )

    def labels_of(self, batch: Arrays) -> np.ndarray:
        """Returns the records' label_ids."""
        return batch["label_ids"]

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the logits [B, L]."""
        return outputs["logits"]

    def quality(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Returns the `measure`, as evaluation has it."""
        figures = classification.metrics(self.kind, found, expected)
        return float(figures[self.measure])

    def _probabilities(self, outputs: Sequence[Arrays]) -> dict[str, float]:
        """Returns the probabilities of a request by label."""
        numbers = numbers_of(outputs[0]["probabilities"])
        return dict(zip(self.labels, numbers, strict=True))


class SingleLabel(_Classification):
    """One label for each text; measured by the share of right ones."""

    kind = "classification"

    def make_model(self) -> ClassifierModel:
        """Returns a `ClassifierModel`."""
        return ClassifierModel(self.config, len(self.labels))

    def values(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the probabilities."""
        return tf.nn.softmax(logits)

    def answer(
        self, request: object, outputs: Sequence[Arrays]
    ) -> dict[str, Any]:
        """Returns the most probable label and all probabilities."""
        best = int(np.argmax(outputs[0]["probabilities"]))
        return {
            "label": self.labels[best],
            "probabilities": self._probabilities(outputs),
        }

    @property
    def num_label_ids(self) -> int:
        """A label_id is the number of a label."""
        return len(self.labels)


class MultiLabel(_Classification):
    """Any number of labels for each text.

    Measured by the share of texts all of whose labels are right.
    """

    kind = "multi_label"

    def make_model(self) -> MultiLabelModel:
        """Returns a `MultiLabelModel`."""
        return MultiLabelModel(self.config, len(self.labels))

    def values(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the probabilities, of each label by itself."""
        return tf.nn.sigmoid(logits)

    def answer(
        self, request: object, outputs: Sequence[Arrays]
    ) -> dict[str, Any]:
        """Returns the labels from a probability of 0.5 on, and all of them."""
        probabilities = self._probabilities(outputs)
        labels = [name for name, p in probabilities.items() if p >= 0.5]
        return {"labels": labels, "probabilities": probabilities}

    @property
    def num_label_ids(self) -> int:
        """A label_id is 0 or 1, for each label."""
        return 2


class Regression(_Classification):
    """A number for each text; measured by Pearson's correlation."""

    kind = "regression"
    measure = "pearson"
    values_name = "scores"

    def make_model(self) -> RegressionModel:
        """Returns a `RegressionModel`."""
        return RegressionModel(self.config)

    def values(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the numbers, which are the logits."""
        return logits

    def answer(
        self, request: object, outputs: Sequence[Arrays]
    ) -> dict[str, Any]:
        """Returns the number."""
        return {"score": numbers_of(outputs[0]["scores"])[0]}
