"""Our SavedModels of ids, loaded."""

import os
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from bert.errors import UserError, one_line
from bert.tasks import spec

SIGNATURE = "serving_default"


class SavedModel:
    """A SavedModel that `serving.export` wrote.

    Args:
        folder: the SavedModel's.

    Call arguments:
        **inputs: int32 [B, S] by name (`spec.INPUTS`), any B and S.

    Returns:
        The outputs by name, see `spec.Spec.outputs`.

    Raises:
        UserError: it is no SavedModel, or takes something else.
    """

    def __init__(self, folder: str):
        try:
            # Kept: a signature alone does not keep its model's variables.
            self._saved = tf.saved_model.load(folder)
        # IndexError: the weights' file is cut off.
        except (OSError, ValueError, IndexError, tf.errors.OpError) as error:
            raise UserError(
                f"Cannot load the SavedModel {folder}: {one_line(error)}; "
                "export the model anew."
            ) from error
        self._serve = self._saved.signatures.get(SIGNATURE)
        names = self._serve.structured_input_signature[1] if self._serve else {}
        if set(names) != set(spec.INPUTS):
            raise UserError(
                f"Expected a SavedModel that takes {', '.join(spec.INPUTS)}. "
                f"Received: {folder}, which takes "
                f"{', '.join(names) or 'nothing'}; name the folder that "
                "export_model.py wrote, not raw_strings in it."
            )

    def __call__(self, **inputs: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """Computes the outputs of a batch."""
        return self._serve(**inputs)

    def compute(
        self, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch of arrays."""
        return compute(self, inputs)


def compute(
    function: Callable[..., Mapping[str, tf.Tensor]],
    inputs: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Calls a function of tensors with arrays.

    Args:
        function: tensors by name → tensors by name.
        inputs: by name.
    """
    outputs = function(**{k: tf.constant(v) for k, v in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def num_bytes(folder: str) -> int:
    """Returns the size of a SavedModel's graph and weights."""
    names = tf.io.gfile.glob(os.path.join(folder, "variables", "*"))
    names.append(os.path.join(folder, "saved_model.pb"))
    return sum(tf.io.gfile.stat(name).length for name in names)
