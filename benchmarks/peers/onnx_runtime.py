"""ONNX Runtime on the model that our compress_model.py writes.

Its defaults: all optimizations, all cores. For texts, HF tokenizers.
"""

import os

import onnxruntime
import sizes
import tokenizers
import worker


def make_session(cell):
    """Returns a cell's model."""
    return onnxruntime.InferenceSession(
        os.path.join(cell["model_dir"], "compressed", "model.onnx"),
        providers=["CPUExecutionProvider"],
    )


def forward(cell):
    """Makes a forward pass to probabilities."""
    session = make_session(cell)
    batch = sizes.make_batch(cell)
    inputs = {
        name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")
    }

    def run(times):
        for _ in range(times):
            session.run(["probabilities"], inputs)

    return run


def latency(cell):
    """Makes the probabilities of one text."""
    import numpy as np

    session = make_session(cell)
    tokenizer = tokenizers.BertWordPieceTokenizer(cell["vocab_file"])
    texts = sizes.texts(cell)

    def run(times):
        for _ in range(times):
            encoding = tokenizer.encode(next(texts))
            inputs = {
                "input_ids": encoding.ids,
                "input_mask": encoding.attention_mask,
                "segment_ids": encoding.type_ids,
            }
            session.run(
                ["probabilities"],
                {k: np.array([v], np.int32) for k, v in inputs.items()},
            )

    return run


WORKS = {"forward": forward, "latency": latency}

if __name__ == "__main__":
    worker.serve(WORKS, ("onnxruntime", "tokenizers"))
