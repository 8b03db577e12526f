"""A trained model of multiple choice, which is asked choice by choice.

Letters of shapes: B batch, C choices of a record, S sequence, n records.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert.data.records import packing
from bert.modeling.task_model import Batch, TaskModel
from bert.tasks.inference import Arrays, Asked, Inference, Outputs, RawTexts
from bert.tasks.multiple_choice import features
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.multiple_choice.model import MultipleChoiceModel
from bert.tasks.requests import UnfitError, numbers_of
from bert.tasks.spec import INPUTS


class MultipleChoice(Inference):
    """One of several texts; measured by the share of right choices.

    A graph scores a pair of a text and a choice; the softmax over a request's
    choices is made here.
    """

    measure = "eval_accuracy"

    def make_model(self) -> MultipleChoiceModel:
        """Returns a `MultipleChoiceModel`."""
        return MultipleChoiceModel(self.config)

    def outputs(self, model, batch, names):
        """Returns the score of each pair, [B, 1]."""
        single = {name: batch[name][:, None] for name in INPUTS}
        return {"logits": model(single)["logits"]}

    def request(self, value: object) -> ChoiceExample:
        """Returns a text and its choices."""
        text = value.get("text") if isinstance(value, dict) else None
        choices = value.get("choices") if isinstance(value, dict) else None
        if (
            not isinstance(text, str)
            or not isinstance(choices, list | tuple)
            or not all(isinstance(each, str) for each in choices)
            or len(choices) < 2
        ):
            raise UnfitError(
                "a text and at least two choices "
                '({"text": "…", "choices": ["…", "…"]})'
            )
        if self.config.type_vocab_size < 2:
            raise UnfitError("a model of two segments, a text and a choice")
        return ChoiceExample("", text, tuple(choices))

    def ask(self, request: ChoiceExample) -> Asked:
        """Returns the text with each choice."""
        return Asked(
            None,
            [
                packing.pack_texts(
                    request.text,
                    choice,
                    self.tokenizer.encode,
                    self.special,
                    self.task.max_seq_length,
                )
                for choice in request.choices
            ],
        )

    def answer(self, request: object, outputs: Outputs) -> dict[str, Any]:
        """Returns the number of the best choice, and all probabilities."""
        logits = np.array([each["logits"][0] for each in outputs], np.float32)
        values = tf.nn.softmax(logits).numpy()
        return {
            "choice": int(values.argmax()),
            "probabilities": numbers_of(values),
        }

    def raw_strings(self) -> dict[str, RawTexts]:
        """Returns a text and a choice."""
        return {"serving_default": RawTexts(("text", "choice"))}

    @property
    def num_label_ids(self) -> int:
        """A label_id is the number of a choice."""
        return int(self.task.options["num_choices"])

    def fields(self, seq_length: int):
        """Returns the fields of the run's training records."""
        choices = self.num_label_ids
        return features.fields(seq_length // choices, choices)

    def labels_of(self, batch: Arrays) -> np.ndarray:
        """Returns the numbers of the right choices, int [n]."""
        return batch["label_ids"].reshape(-1)

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the numbers of the best choices, int [n]."""
        is_there = batch["input_mask"].any(axis=-1)
        scores = np.where(is_there, outputs["logits"][:, 0], -np.inf)
        return scores.reshape(-1, self.num_label_ids).argmax(axis=-1)


def evaluated(
    model: TaskModel, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns what the figures are made from, of each question."""
    return {
        "logits": outputs["logits"],
        "label_ids": batch["label_ids"],
        "loss": model.losses(outputs, batch)["multiple_choice"],
    }


def predicted(
    model: TaskModel, outputs: Mapping[str, tf.Tensor], batch: Batch
) -> dict[str, tf.Tensor]:
    """Returns the probabilities of the choices of each question."""
    return {"probabilities": tf.nn.softmax(outputs["logits"])}
