"""Models that OpenVINO computes."""

import threading
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import openvino


class OpenVinoModel:
    """A model that OpenVINO computes on the CPU; a `formats.Model`.

    On a CPU that has bfloat16 it computes in that, else in float32; what is
    int8 in the file stays int8.

    Args:
        path: the .xml file; its weights are in the .bin file beside it.
    """

    # A reply to each call, soon, rather than the most replies in all.
    _options: ClassVar[dict[str, str]] = {"PERFORMANCE_HINT": "LATENCY"}

    def __init__(self, path: str):
        core = openvino.Core()
        precisions = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bf16" if "BF16" in precisions else "f32"
        model = core.read_model(path)
        # A tensor that is two outputs, as of regression, has both names.
        self._numbers = {
            name: number
            for number, output in enumerate(model.outputs)
            for name in output.get_names()
        }
        self._request = core.compile_model(
            model,
            "CPU",
            {**self._options, "INFERENCE_PRECISION_HINT": precision},
        ).create_infer_request()
        self._one_at_a_time = threading.Lock()

    def __call__(
        self, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch."""
        with self._one_at_a_time:
            self._request.infer(dict(inputs))
            return {
                # A copy: the next call writes to the same memory.
                name: self._request.get_output_tensor(number).data.copy()
                for name, number in self._numbers.items()
            }
