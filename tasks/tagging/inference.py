"""Trained taggers: a label for each word of a text.

Letters of shapes: B batch, S sequence, L labels, n words.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bert.data.records.fields import Field
from bert.data.text.tokenization import BasicTokenizer
from bert.tasks.inference import Arrays, Asked, Inference, Outputs, Tensors
from bert.tasks.requests import UnfitError, numbers_of
from bert.tasks.tagging import schemes
from bert.tasks.tagging.windows import Featurizer, fields

if TYPE_CHECKING:
    import tensorflow as tf

    from bert.modeling.heads import TokenModel
    from bert.modeling.task_model import Batch, TaskModel


class Words(NamedTuple):
    """A request.

    Attributes:
        tokens: the words of a sentence.
        offsets: of each, the range [start, end) of its characters in the
            text; None where words were given.
    """

    tokens: list[str]
    offsets: list[tuple[int, int]] | None


class Tagging(Inference):
    """Labels of words; measured by the share of words whose label is right."""

    measure = "tag_accuracy"
    token_outputs = ("probabilities", "logits")

    def make_model(self, compute_dtype: str = "float32") -> "TokenModel":
        """Returns a `TokenModel`."""
        from bert.modeling.heads import TokenModel

        return TokenModel(
            self.config, len(self.labels), compute_dtype=compute_dtype
        )

    def outputs(self, model, batch, names):
        """Returns the probabilities and the logits."""
        import tensorflow as tf

        logits = model(batch)["logits"]
        return {"probabilities": tf.nn.softmax(logits), "logits": logits}

    def about(self) -> dict[str, Any]:
        """Returns also what labels mark: entities, see `schemes.read`."""
        return {**super().about(), "entities": schemes.read(self.labels)}

    def request(self, value: object) -> Words:
        """Returns the words of a text, or of a list."""
        if isinstance(value, dict):
            value = value["tokens"] if "tokens" in value else value.get("text")
        if isinstance(value, str):
            tokenizer = BasicTokenizer(do_lower_case=False)
            return Words(*tokenizer.tokenize_with_offsets(value))
        if isinstance(value, list | tuple) and all(
            isinstance(word, str) for word in value
        ):
            return Words(list(value), None)
        raise UnfitError(
            'a text, or a list of words ({"text": "…"} or {"tokens": ["…"]})'
        )

    def ask(self, request: Words) -> Asked:
        """Returns the windows over a sentence.

        `answer` gets the words, and for each window the positions of the words
        that are labelled there.
        """
        windows = list(self._featurizer.pack(request.tokens))
        positions = [[p for _, p in window.labelled] for window in windows]
        return Asked((request, positions), [w.packed for w in windows])

    def answer(
        self, request: tuple[Words, list[list[int]]], outputs: Outputs
    ) -> dict[str, Any]:
        """Returns the words, their places, labels and probabilities."""
        words, positions = request
        rows = [
            each["probabilities"][own]
            for each, own in zip(outputs, positions, strict=True)
        ]
        # Without words there are no windows.
        values = np.concatenate(
            [np.zeros([0, len(self.labels)], np.float32), *rows]
        )
        return {
            "tokens": words.tokens,
            "offsets": words.offsets and list(map(list, words.offsets)),
            "labels": [self.labels[i] for i in values.argmax(-1)],
            "probabilities": numbers_of(values.max(-1)),
        }

    def fields(self, seq_length: int) -> Sequence[Field]:
        """Returns the fields of run_ner.py's records."""
        return fields(seq_length)

    @property
    def num_label_ids(self) -> int:
        """A label_id is the number of a label."""
        return len(self.labels)

    def labels_of(self, batch: Arrays) -> np.ndarray:
        """Returns the labels of the words, int [n]."""
        return batch["label_ids"][batch["label_mask"] == 1]

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the logits of the words, [n, L]."""
        return outputs["logits"][batch["label_mask"] == 1]

    def quality(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Returns the share of words whose label is right."""
        right = np.argmax(found, axis=-1) == expected
        return float(np.mean(right))

    def said(self, found: np.ndarray) -> np.ndarray:
        """Returns the labels' numbers, int [n]."""
        return np.argmax(found, axis=-1)

    @cached_property
    def _featurizer(self) -> Featurizer:
        return Featurizer(self.tokenizer, {}, self.task.max_seq_length)


def select(
    model: "TaskModel", outputs: Mapping[str, "tf.Tensor"], batch: "Batch"
) -> Tensors:
    """Returns what `metrics.collect` takes, for each window."""
    import tensorflow as tf

    probabilities = tf.nn.softmax(outputs["logits"])
    losses = model.losses(outputs, batch)["token"]
    mask = batch["label_mask"]
    return {
        "label_mask": mask,
        "label_ids": tf.argmax(probabilities, axis=-1),
        "probabilities": tf.reduce_max(probabilities, axis=-1),
        "losses": tf.reshape(losses, tf.shape(mask)),
    }
