"""A trained model of multiple choice, which is asked choice by choice.

Letters of shapes: B batch, C choices of a record, S sequence, n records.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bert.data.records.fields import Field
from bert.errors import UserError
from bert.tasks.inference import Arrays, Asked, Inference, Outputs, RawTexts
from bert.tasks.multiple_choice import features
from bert.tasks.multiple_choice.examples import ChoiceExample
from bert.tasks.requests import UnfitError, numbers_of
from bert.tasks.spec import INPUTS

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.task_model import Batch, TaskModel
    from bert.tasks.multiple_choice.model import MultipleChoiceModel


class MultipleChoice(Inference):
    """One of several texts; measured by the share of right choices.

    A graph scores a pair of a text and a choice; the softmax over a request's
    choices is made here.
    """

    measure = "eval_accuracy"

    def make_model(
        self, compute_dtype: str = "float32"
    ) -> "MultipleChoiceModel":
        """Returns a `MultipleChoiceModel`."""
        from bert.tasks.multiple_choice.model import MultipleChoiceModel

        return MultipleChoiceModel(self.config, compute_dtype=compute_dtype)

    def outputs(self, model, batch, names):
        """Returns the score of each pair, [B, 1]."""
        single = {name: batch[name][:, None] for name in INPUTS}
        return {"logits": model(single)["logits"]}

    def about(self) -> dict[str, Any]:
        """Returns what a request has."""
        return {"asks": ["text", "choices"]}

    def request(self, value: object) -> ChoiceExample:
        """Returns a text and its choices."""
        text = value.get("text") if isinstance(value, dict) else None
        given = value.get("choices") if isinstance(value, dict) else None
        choices = given if isinstance(given, list | tuple) else []
        # As in a file, what is blank or null is a choice that there is not.
        choices = ["" if each is None else each for each in choices]
        if (
            not isinstance(text, str)
            or not all(isinstance(each, str) for each in choices)
            or sum(bool(each.strip()) for each in choices) < 2
        ):
            raise UnfitError(
                "a text and at least two choices "
                '({"text": "…", "choices": ["…", "…"]})'
            )
        if self.config.type_vocab_size < 2:
            raise UnfitError("a model of two segments, a text and a choice")
        kept = (each if each.strip() else "" for each in choices)
        return ChoiceExample("", text, tuple(kept))

    def ask(self, request: ChoiceExample) -> Asked:
        """Returns the text with each choice that there is."""
        length = self.task.max_seq_length
        return Asked(request, features.pack(request, length, self.tokenizer))

    def answer(
        self, request: ChoiceExample, outputs: Outputs
    ) -> dict[str, Any]:
        """Returns the number of the best choice, and all probabilities.

        That of a choice that there is not is 0.
        """
        # Here too, where another runtime computes: its last digits are others
        # than NumPy's.
        import tensorflow as tf

        logits = np.full(len(request.choices), -np.inf, np.float32)
        there = [n for n, choice in enumerate(request.choices) if choice]
        logits[there] = [each["logits"][0] for each in outputs]
        values = tf.nn.softmax(logits).numpy()
        return {
            "choice": int(values.argmax()),
            "probabilities": numbers_of(values),
        }

    def raw_strings(self) -> dict[str, RawTexts]:
        """Returns a text and a choice."""
        return {"serving_default": RawTexts(("text", "choice"))}

    def fields(self, seq_length: int) -> Sequence[Field]:
        """Returns the fields of records of as many choices as they have.

        Raises:
            UserError: they are of another max_seq_length.
        """
        own = self.task.max_seq_length
        if seq_length % own:
            raise UserError(
                f"Expected records of the model's max_seq_length ({own}) for "
                f"each choice. Received: {seq_length} ids a record; make them "
                "with that length."
            )
        return features.fields(own, seq_length // own)

    def labels_of(self, batch: Arrays) -> np.ndarray:
        """Returns the numbers of the right choices, int [n]."""
        return batch["label_ids"].reshape(-1)

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the numbers of the best choices, int [n]."""
        is_there = batch["input_mask"].any(axis=-1)
        scores = np.where(is_there, outputs["logits"][:, 0], -np.inf)
        return scores.reshape(len(batch["label_ids"]), -1).argmax(axis=-1)


def evaluated(
    model: "TaskModel", outputs: Mapping[str, "tf.Tensor"], batch: "Batch"
) -> dict[str, "tf.Tensor"]:
    """Returns what the figures are made from, of each question."""
    return {
        "logits": outputs["logits"],
        "label_ids": batch["label_ids"],
        "loss": model.losses(outputs, batch)["multiple_choice"],
    }


def predicted(
    model: "TaskModel", outputs: Mapping[str, "tf.Tensor"], batch: "Batch"
) -> dict[str, "tf.Tensor"]:
    """Returns the probabilities of the choices of each question."""
    import tensorflow as tf

    return {"probabilities": tf.nn.softmax(outputs["logits"])}
