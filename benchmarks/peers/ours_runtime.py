"""This repository's answers by other runtimes than TensorFlow.

BENCH_RUNTIME names the format of compress_model.py.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import sizes
import worker

from bert.model_folder import formats
from bert.serving.predictor import Predictor
from bert.tasks.spec import INPUTS

NAME = os.environ.get("BENCH_RUNTIME", "onnx")


def forward(cell):
    """Makes a forward pass to probabilities."""
    folder = os.path.join(cell["model_dir"], "compressed")
    model = formats.open_model(
        NAME, os.path.join(folder, formats.FORMATS[NAME].file)
    )
    batch = sizes.make_batch(cell)
    inputs = {name: batch[name] for name in INPUTS}

    def run(times):
        for _ in range(times):
            model(inputs)

    return run


def latency(cell):
    """Makes the answer to one text."""
    folder = os.path.join(cell["model_dir"], "compressed")
    predictor = Predictor.load(folder, runtime=NAME)
    texts = sizes.texts(cell)

    def run(times):
        for _ in range(times):
            predictor.predict([next(texts)])

    return run


WORKS = {"forward": forward, "latency": latency}

if __name__ == "__main__":
    package = formats.RUNTIMES[formats.FORMATS[NAME].runtime].package
    worker.serve(WORKS, (package.partition(".")[0].replace("_", "-"),))
