"""The formats that a SavedModel is made small and fast in."""

import importlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bert.conversion import litert, onnx
from bert.errors import UserError
from bert.tasks.spec import INPUTS

Model = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]

_SIGNATURE = "serving_default"
_REQUIREMENTS = "requirements-compress.txt"


class Format(NamedTuple):
    """One way to write a model.

    Attributes:
        file: the name of its file.
        make: writes it; of a SavedModel's folder and the file's path.
        open: opens it in its own runtime; of the path.
        packages: what must be installed, by the names that are imported.
        tolerance: the largest difference of outputs from the SavedModel's
            that rounding explains, see `evaluation.comparison`; inf where only
            the accuracy tells.
    """

    file: str
    make: Callable[[str, str], None]
    open: Callable[[str], Model]
    packages: Sequence[str]
    tolerance: float


FORMATS: Mapping[str, Format] = {
    "litert_float16": Format(
        "model_float16.tflite",
        litert.make_litert_float16,
        litert.LiteRtModel,
        ["ai_edge_litert.interpreter"],
        0.05,
    ),
    "litert_int8": Format(
        "model_int8.tflite",
        litert.make_litert_int8,
        litert.LiteRtModel,
        ["ai_edge_litert.interpreter"],
        math.inf,
    ),
    "onnx": Format(
        "model.onnx",
        onnx.make_onnx,
        onnx.OnnxModel,
        ["onnx", "tf2onnx", "onnxruntime"],
        1e-3,
    ),
}


class SavedModel:
    """A SavedModel that `serving.export` wrote, called with arrays.

    Args:
        folder: the SavedModel's.

    Call arguments:
        inputs: int32 [B, S] by name, any B and S.

    Returns:
        The outputs, arrays by name.

    Raises:
        UserError: it is no SavedModel, or takes something else.
    """

    def __init__(self, folder: str):
        try:
            self._saved = tf.saved_model.load(folder)
        # IndexError: the weights' file is cut off.
        except (OSError, ValueError, IndexError, tf.errors.OpError) as error:
            raise UserError(
                f"{folder} cannot be loaded as a SavedModel: "
                f"{' '.join(str(error).split())}; export the model again."
            ) from error
        self._serve = self._saved.signatures.get(_SIGNATURE)
        names = self._serve and self._serve.structured_input_signature[1]
        if sorted(names or ()) != sorted(INPUTS):
            raise UserError(
                f"Expected a SavedModel that takes {', '.join(INPUTS)}. "
                f"Received: {folder}, which takes "
                f"{', '.join(sorted(names or ())) or 'nothing'}; name the "
                "folder that export_model.py wrote."
            )

    def __call__(
        self, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch."""
        outputs = self._serve(**{k: tf.constant(v) for k, v in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}


def saved_model_bytes(folder: str) -> int:
    """Returns the size of a SavedModel's graph and weights."""
    names = tf.io.gfile.glob(os.path.join(folder, "variables", "*"))
    names.append(os.path.join(folder, "saved_model.pb"))
    return sum(tf.io.gfile.stat(name).length for name in names)


def check_packages(names: Sequence[str]) -> None:
    """Makes sure that what some formats need can be imported.

    Args:
        names: of `FORMATS`.

    Raises:
        UserError: a package is missing.
    """
    for name in names:
        for package in FORMATS[name].packages:
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise UserError(
                    f"The format {name} needs {package.partition('.')[0]}, "
                    f"and importing it failed ({' '.join(str(error).split())})"
                    f"; pip install -r {_REQUIREMENTS}, or leave the format "
                    "out (--formats)."
                ) from error
