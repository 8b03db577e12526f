"""Trained encoders: the vectors of a text and of its tokens.

Letters of shapes: B batch, S sequence, D hidden, n tokens.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert.data.records.packing import Packed
from bert.tasks.inference import Arrays, OptionalOutput, Outputs
from bert.tasks.requests import check_finite
from bert.tasks.text_inference import TextInference

if TYPE_CHECKING:
    from bert.modeling.task_model import TaskModel


class Features(TextInference):
    """The encoder alone.

    Measured by the mean cosine between the vectors of tokens and those of the
    original model.
    """

    measure = "mean_cosine"
    token_outputs = ("sequence_output",)
    optional_outputs: ClassVar[Mapping[str, OptionalOutput]] = {
        "pooled_output": OptionalOutput(
            ("pooler/",), "has no pooler: pooled_output is left out"
        )
    }
    window_batches = 4
    exports_encoder = True

    def make_model(self, compute_dtype: str = "float32") -> "TaskModel":
        """Returns a `TaskModel`, which has no head."""
        from bert.modeling.task_model import TaskModel

        return TaskModel(self.config, "encoder", compute_dtype, None)

    def outputs(self, model, batch, names):
        """Returns the last layer, and the pooler's output."""
        encoded = model.encode(batch, training=False, seed=None)
        return {name: encoded[name] for name in names}

    def answer(self, request: Packed, outputs: Outputs) -> dict[str, Any]:
        """Returns the tokens and their vectors, float32 arrays."""
        length = len(request.ids)
        tokens = self.tokenizer.convert_ids_to_tokens(request.ids)
        found = {
            "sequence_output": outputs[0]["sequence_output"][:length].copy()
        }
        if "pooled_output" in outputs[0]:
            found["pooled_output"] = outputs[0]["pooled_output"].copy()
        for values in found.values():
            check_finite(values)
        return {"tokens": tokens, **found}

    def predictions(self, outputs: Arrays, batch: Arrays) -> np.ndarray:
        """Returns the vectors of the tokens, [n, D]."""
        return outputs["sequence_output"][batch["input_mask"] == 1]

    def quality(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Returns the mean cosine."""
        products = np.sum(found * expected, axis=-1)
        lengths = np.linalg.norm(found, axis=-1)
        return float(
            np.mean(products / (lengths * np.linalg.norm(expected, axis=-1)))
        )
