"""Models that LiteRT computes."""

import os
import threading
from collections.abc import Mapping

import numpy as np
from ai_edge_litert.interpreter import Interpreter

# What our exports call their function.
_SIGNATURE = "serving_default"


class LiteRtModel:
    """A model that LiteRT computes, on all cores; a `formats.Model`.

    Args:
        path: the .tflite file.
    """

    def __init__(self, path: str):
        interpreter = Interpreter(model_path=path, num_threads=os.cpu_count())
        self._run = interpreter.get_signature_runner(_SIGNATURE)
        self._one_at_a_time = threading.Lock()

    def __call__(
        self, inputs: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Computes the outputs of a batch."""
        with self._one_at_a_time:
            return self._run(**inputs)
