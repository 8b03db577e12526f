"""The formats that a SavedModel is made small and fast in."""

import importlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bert.conversion import litert, onnx
from bert.errors import UserError, one_line

# Computes the outputs of a batch, arrays by name, from the inputs, int32 [B, S]
# by name; any B and S.
Model = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


class Format(NamedTuple):
    """One way to write a model.

    Attributes:
        file: the name of its file.
        make: writes it; of a SavedModel's folder and the file's path.
        open: opens it in its own runtime; of the path.
        packages: what must be installed, by the names that are imported.
        extra: what installs them: requirements-EXTRA.txt.
        tolerance: the largest difference of outputs from the SavedModel's
            that rounding explains, see `evaluation.comparison`; inf where only
            the accuracy tells.
    """

    file: str
    make: Callable[[str, str], None]
    open: Callable[[str], Model]
    packages: Sequence[str]
    extra: str
    tolerance: float


FORMATS: Mapping[str, Format] = {
    "litert_float16": Format(
        "model_float16.tflite",
        litert.make_litert_float16,
        litert.LiteRtModel,
        ["ai_edge_litert.interpreter"],
        "litert",
        0.05,
    ),
    "litert_int8": Format(
        "model_int8.tflite",
        litert.make_litert_int8,
        litert.LiteRtModel,
        ["ai_edge_litert.interpreter"],
        "litert",
        math.inf,
    ),
    "onnx": Format(
        "model.onnx",
        onnx.make_onnx,
        onnx.OnnxModel,
        ["onnx", "tf2onnx", "onnxruntime"],
        "onnx",
        1e-3,
    ),
}


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
        form = FORMATS[name]
        for package in form.packages:
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise UserError(
                    f"The format {name} needs {package.partition('.')[0]}, "
                    f"and importing it failed ({one_line(error)})"
                    f"; pip install -r requirements-{form.extra}.txt, or leave "
                    "the format out (--formats)."
                ) from error
