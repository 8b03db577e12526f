"""Trained classifiers: one label, several labels, or a number of a text.

Letters of shapes: B batch, L labels.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert.data.records.fields import Field
from bert.tasks.classification import kinds
from bert.tasks.classification.kinds import Kind
from bert.tasks.inference import Arrays, Outputs
from bert.tasks.requests import numbers_of
from bert.tasks.text_inference import TextInference

if TYPE_CHECKING:
    from bert.modeling.classifiers import ClassifierModel


class _Classification(TextInference):
    """What the kinds share.

    Attributes:
        kind: what is said of a text.
        values_name: the export's name of the values.
        answer_name: what an answer calls the prediction.
    """

    kind: ClassVar[Kind]
    measure = "eval_accuracy"
    values_name: ClassVar[str] = "probabilities"
    answer_name: ClassVar[str] = "label"

    def make_model(self, compute_dtype: str = "float32") -> "ClassifierModel":
        """Returns the model of the kind."""
        return self.kind.make_model(
            self.config, len(self.labels) or 1, compute_dtype=compute_dtype
        )

    def outputs(self, model, batch, names):
        """Returns the values and the logits."""
        logits = model(batch)["logits"]
        return {self.values_name: self.kind.values(logits), "logits": logits}

    def fields(self, seq_length: int) -> Sequence[Field]:
        """Returns the fields of run_classifier.py's records."""
        return self.kind.fields(seq_length, len(self.labels))

    def labels_of(self, batch: Arrays) -> np.ndarray:
        """Returns the records' label_ids."""
        return batch["label_ids"]

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the logits [B, L]."""
        return outputs["logits"]

    def quality(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Returns the `measure`, as evaluation has it."""
        return float(self.kind.figures(found, expected)[self.measure])

    def answer(self, request: object, outputs: Outputs) -> dict[str, Any]:
        """Returns what is predicted, by its name, and all probabilities."""
        values = self._values(outputs)
        numbers = numbers_of(values)
        return {
            self.answer_name: self.kind.prediction(self.labels, values),
            "probabilities": dict(zip(self.labels, numbers, strict=True)),
        }

    def _values(self, outputs: Outputs) -> np.ndarray:
        """Returns the values of a text, float32 [L], by those of its windows.

        As training pools them: their logits.
        """
        pooling = self.task.long_texts.window_pooling
        if pooling is None or len(outputs) == 1:
            return outputs[0][self.values_name]
        import tensorflow as tf

        from bert.modeling import window_logits

        logits = np.stack([window["logits"] for window in outputs])[np.newaxis]
        there = np.ones(logits.shape[:2], bool)
        pooled = window_logits.POOLINGS[pooling](tf.constant(logits), there)
        return self.kind.values(pooled).numpy()[0]


class SingleLabel(_Classification):
    """One label for each text; measured by the share of right ones."""

    kind = kinds.find("classification")

    @property
    def num_label_ids(self) -> int:
        """A label_id is the number of a label."""
        return len(self.labels)

    def said(self, found: np.ndarray) -> np.ndarray:
        """Returns the labels' numbers, int [B]."""
        return np.argmax(found, axis=-1)


class MultiLabel(_Classification):
    """Any number of labels for each text: those from a probability of 0.5 on.

    Measured by the share of texts all of whose labels are right.
    """

    kind = kinds.find("multi_label")
    answer_name = "labels"
    num_label_ids = 2  # a label_id is 0 or 1, for each label

    def about(self) -> dict[str, Any]:
        """Returns also from which probability on a label is given."""
        return {**super().about(), "threshold": kinds.THRESHOLD}

    def said(self, found: np.ndarray) -> np.ndarray:
        """Returns which labels are given, bool [B, L]."""
        return found >= 0  # of a logit, a probability of 0.5


class Regression(_Classification):
    """A number for each text; measured by Pearson's correlation."""

    kind = kinds.find("regression")
    measure = "pearson"
    values_name = "scores"

    def answer(self, request: object, outputs: Outputs) -> dict[str, Any]:
        """Returns the number."""
        return {"score": numbers_of(self._values(outputs))[0]}
