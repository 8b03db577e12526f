"""SavedModels as OpenVINO models (.xml and .bin), for CPUs."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bert.model_folder import formats
from bert.tasks.spec import INPUTS

if TYPE_CHECKING:
    import openvino

# Rows that int8 is calibrated with at most: more change the ranges little.
_CALIBRATION_ROWS = 128


def make_openvino_bfloat16(saved_model_dir: str, path: str) -> None:
    """Writes a model for CPUs that compute in bfloat16.

    Its weights are float16 in the file, which keeps more digits than bfloat16;
    a CPU without bfloat16 computes in float32.

    Args:
        saved_model_dir: a SavedModel with the signature `SIGNATURE`.
        path: the .xml file to write; the weights go to .bin beside it.
    """
    _save(_convert(saved_model_dir), path)


def make_openvino_int8(
    saved_model_dir: str, path: str, rows: Sequence[Mapping[str, np.ndarray]]
) -> None:
    """Writes a model whose matrices and their inputs are int8.

    The ranges of the inputs are those of some rows. Weights of columns that
    get large inputs are made larger first, the inputs smaller (Xiao et al.
    2023, SmoothQuant).

    Args:
        saved_model_dir: see `make_openvino_bfloat16`.
        path: likewise.
        rows: batches to calibrate with, `INPUTS` by name.
    """
    chosen = _some(rows)
    with formats.logs_kept():
        import nncf

        nncf.set_log_level(logging.ERROR)
        model = nncf.quantize(
            _convert(saved_model_dir),
            nncf.Dataset(chosen),
            subset_size=len(chosen),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.PERFORMANCE,
        )
    _save(model, path)


def _convert(saved_model_dir: str) -> "openvino.Model":
    """Returns a SavedModel's graph, with its names."""
    import openvino

    return openvino.Core().read_model(saved_model_dir)


def _save(model: "openvino.Model", path: str) -> None:
    import openvino

    openvino.save_model(model, path)


def _some(rows: Sequence[Mapping[str, np.ndarray]]) -> list[dict]:
    """Returns rows of all lengths, a batch each, without their padding."""
    total = sum(len(batch["input_ids"]) for batch in rows)
    step = math.ceil(total / _CALIBRATION_ROWS)
    found = []
    seen = 0
    for batch in rows:
        count = len(batch["input_ids"])
        first = -seen % step
        seen += count
        for row in range(first, count, step):
            length = max(1, int(batch["input_mask"][row].sum()))
            found.append(
                {name: batch[name][row : row + 1, :length] for name in INPUTS}
            )
    return found
