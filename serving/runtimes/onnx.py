"""Models that onnxruntime computes."""

from collections.abc import Mapping

import numpy as np
import onnxruntime


class OnnxModel:
    """A model that onnxruntime computes, on all cores; a `formats.Model`.

    Args:
        path: the .onnx file.
    """

    def __init__(self, path: str):
        self._session = onnxruntime.InferenceSession(
            path, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(
        self, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch."""
        values = self._session.run(self._names, dict(inputs))
        return dict(zip(self._names, values, strict=True))
