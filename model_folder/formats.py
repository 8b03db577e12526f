"""The formats of compressed models, and the runtimes that compute them.

A new format is a row in `FORMATS`, a new runtime one in `RUNTIMES`. Both name
what does their work, so that neither is imported before it is used. Imports
without TensorFlow.
"""

import contextlib
import importlib
import logging
import math
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bert.errors import UserError, one_line
from bert.tasks import spec

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]
# Computes the outputs of a batch, arrays by name, from the inputs, int32 [B, S]
# by name; any B and S. Threads may call it side by side.
Model = Callable[[Arrays], Arrays]

# What computes checkpoints and SavedModels.
TENSORFLOW = "tensorflow"


class Runtime(NamedTuple):
    """What computes models of some formats.

    Attributes:
        model: `module:class` of its `Model`, which is made of a file's path.
        package: what must be installed, by the name that is imported.
        extra: what installs it: requirements-EXTRA.txt.
    """

    model: str
    package: str
    extra: str


class Format(NamedTuple):
    """One way to write a model.

    Attributes:
        file: the name of the file that is opened.
        runtime: of `RUNTIMES`.
        make: `module:function` that writes it; of a SavedModel's folder and
            the file's path.
        packages: what that needs, by the names that are imported.
        tolerance: the largest difference of outputs from the SavedModel's
            that rounding explains, see `evaluation.comparison`; inf where only
            the accuracy tells.
        weights: the name of a file beside that one, if weights are in one.
        is_calibrated: whether `make` also takes rows to calibrate with: a
            sequence of batches.
    """

    file: str
    runtime: str
    make: str
    packages: Sequence[str]
    tolerance: float
    weights: str | None = None
    is_calibrated: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all its files."""
        return (self.file, self.weights) if self.weights else (self.file,)


RUNTIMES: dict[str, Runtime] = {
    "onnx": Runtime(
        "bert.serving.runtimes.onnx:OnnxModel", "onnxruntime", "onnx"
    ),
    "litert": Runtime(
        "bert.serving.runtimes.litert:LiteRtModel",
        "ai_edge_litert.interpreter",
        "litert",
    ),
    "openvino": Runtime(
        "bert.serving.runtimes.openvino:OpenVinoModel", "openvino", "openvino"
    ),
}
FORMATS: dict[str, Format] = {
    "litert_float16": Format(
        "model_float16.tflite",
        "litert",
        "bert.conversion.litert:make_litert_float16",
        ["ai_edge_litert.interpreter"],
        0.05,
    ),
    "litert_int8": Format(
        "model_int8.tflite",
        "litert",
        "bert.conversion.litert:make_litert_int8",
        ["ai_edge_litert.interpreter"],
        math.inf,
    ),
    "onnx": Format(
        "model.onnx",
        "onnx",
        "bert.conversion.onnx:make_onnx",
        ["onnx", "tf2onnx", "onnxruntime"],
        1e-3,
    ),
    "onnx_int8": Format(
        "model_int8.onnx",
        "onnx",
        "bert.conversion.onnx:make_onnx_int8",
        ["onnx", "tf2onnx", "onnxruntime"],
        math.inf,
    ),
    "openvino_bfloat16": Format(
        "model_bfloat16.xml",
        "openvino",
        "bert.conversion.openvino:make_openvino_bfloat16",
        ["openvino"],
        # 0.054 was seen of one word in CoNLL-2003's test set, of which as many
        # labels are right as in float32.
        0.15,
        weights="model_bfloat16.bin",
    ),
    "openvino_int8": Format(
        "model_int8.xml",
        "openvino",
        "bert.conversion.openvino:make_openvino_int8",
        ["openvino", "nncf"],
        math.inf,
        weights="model_int8.bin",
        is_calibrated=True,
    ),
}
# What --runtime may be: a runtime, or one of several formats of it.
CHOICES: tuple[str, ...] = tuple(
    dict.fromkeys((TENSORFLOW, *RUNTIMES, *FORMATS))
)


def check_to_make(names: Sequence[str]) -> None:
    """Makes sure that what writing some formats needs can be imported.

    Args:
        names: of `FORMATS`.

    Raises:
        UserError: a package is missing.
    """
    for name in names:
        form = FORMATS[name]
        extra = RUNTIMES[form.runtime].extra
        for package in form.packages:
            _check_package(
                f"The format {name}",
                package,
                extra,
                ", or leave the format out (--formats)",
            )


def make(
    name: str, saved_model_dir: str, path: str, rows: Sequence[Arrays]
) -> None:
    """Writes a SavedModel in a format.

    Args:
        name: of `FORMATS`.
        saved_model_dir: a SavedModel that `serving.export` wrote.
        path: the file to write.
        rows: batches that a format may be calibrated with.
    """
    form = FORMATS[name]
    more = [rows] if form.is_calibrated else []
    spec.load(form.make)(saved_model_dir, path, *more)


def open_model(name: str, path: str) -> Model:
    """Opens a model in its runtime.

    Args:
        name: of `FORMATS`.
        path: its file.

    Raises:
        UserError: the runtime is not installed, or cannot read the file.
    """
    runtime = RUNTIMES[FORMATS[name].runtime]
    _check_package(
        f"A model in the format {name}", runtime.package, runtime.extra
    )
    opened = spec.load(runtime.model)
    try:
        return opened(path)
    except Exception as error:  # each runtime raises what it likes
        raise UserError(
            f"{path}: expected a model in the format {name}. Received: a file "
            f"that its runtime cannot open ({one_line(error, 120)}); write it "
            "anew (compress_model.py)."
        ) from error


def _check_package(
    what: str, package: str, extra: str, advice: str = ""
) -> None:
    """Imports a package; UserError where that is not possible."""
    # With it OpenVINO writes to the home directory, and reports its use; where
    # this module lacks what is wanted of it, it does neither.
    name = "openvino_telemetry"
    sys.modules.setdefault(name, types.ModuleType(name))
    try:
        with logs_kept():
            importlib.import_module(package)
    except ImportError as error:
        raise UserError(
            f"{what} needs {package.partition('.')[0]}, and importing it "
            f"failed ({one_line(error)}); pip install -r "
            f"requirements-{extra}.txt{advice}."
        ) from error


@contextlib.contextmanager
def logs_kept() -> Iterator[None]:
    """Undoes what packages do to the handlers of all logs.

    OpenVINO takes absl's away, and NNCF lets all write errors alone.
    """
    handlers = [(each, each.level) for each in logging.root.handlers]
    try:
        yield
    finally:
        logging.root.handlers[:] = [handler for handler, _ in handlers]
        for handler, level in handlers:
            handler.setLevel(level)
