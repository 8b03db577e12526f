"""This repository, as its users run it.

BENCH_PRECISION is the precision, BENCH_WAY of `packing.WAYS`.
"""

import argparse
import functools
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bert.cli import environment  # noqa: E402

environment.prepare()

import sizes  # noqa: E402
import tensorflow as tf  # noqa: E402
import worker  # noqa: E402

from bert.data.records import length_sorting  # noqa: E402
from bert.modeling import BertConfig, checkpoint, heads  # noqa: E402
from bert.modeling.classifiers import ClassifierModel  # noqa: E402
from bert.training import optimization  # noqa: E402
from bert.training.batches import Batches  # noqa: E402
from bert.training.forward import Forward  # noqa: E402
from bert.training.step_calls import StepCalls  # noqa: E402
from bert.training.steps import StepSettings, compile_train_step  # noqa: E402

_PER_TOKEN = ("input_ids", "input_mask", "segment_ids")
_FIELDS = {
    "classifier": ("label_ids", "is_real_example"),
    "pretraining": (
        "masked_lm_positions",
        "masked_lm_ids",
        "masked_lm_weights",
        "next_sentence_labels",
    ),
}


def make_model(cell):
    """Returns a cell's model with random weights."""
    config = BertConfig.from_dict(sizes.model(cell["model"]).config())
    options = {
        "init_seed": 1,
        "compute_dtype": os.environ.get("BENCH_PRECISION", "float32"),
    }
    if cell["head"] == "pretraining":
        return heads.PretrainingModel(config, **options)
    return ClassifierModel(config, sizes.NUM_LABELS, **options)


def make_batches(cell, drop_remainder: bool) -> tf.data.Dataset:
    """Returns a cell's batch again and again, as the scripts' batches come.

    Their length is not known beforehand: it is cut to the longest row.
    """
    batch = sizes.make_batch(cell)
    names = (*_PER_TOKEN, *_FIELDS[cell["head"]])
    rows = tf.data.Dataset.from_tensor_slices({k: batch[k] for k in names})
    return (
        rows.cache()
        .repeat()
        .batch(cell["rows"], drop_remainder=drop_remainder)
        .map(functools.partial(length_sorting.cut, per_token=_PER_TOKEN))
        .prefetch(tf.data.AUTOTUNE)
    )


def train_step(cell):
    """Makes the scripts' training step."""
    model = make_model(cell)
    optimizer = optimization.AdamWeightDecay(
        {
            checkpoint.checkpoint_name(v, model): v.value
            for v in model.trainable_variables
        },
        optimization.learning_rate_schedule("original", 5e-5, 10**6, 10**5),
    )
    batches = make_batches(cell, drop_remainder=True)
    step = compile_train_step(
        model, optimizer, StepSettings(seed=1), batches.element_spec
    )
    calls = StepCalls(step, Batches(batches), several=True)

    def job(times):
        while times > 0:
            losses = calls.take(times)["loss"]
            times -= len(losses)
        return {"loss": float(losses[-1])}

    return job


def forward(cell):
    """Makes the scripts' way from batches to probabilities."""
    model = make_model(cell)
    run = Forward(
        model, lambda outputs, _: {"values": tf.nn.softmax(outputs["logits"])}
    )
    answers = run(Batches(make_batches(cell, drop_remainder=False)))

    def job(times):
        for _ in range(times):
            next(answers)

    return job


def packing(cell):
    """Makes steps of pre-training on a text, its records made before."""
    from benchmarks import packing as texts

    way = os.environ.get("BENCH_WAY", "static")
    args = argparse.Namespace(
        input_file=cell["text_file"],
        vocab_file=cell["vocab_file"],
        do_lower_case="true",
        work_dir=Path(cell["folder"]) / f"packing-{way}",
        config=sizes.model(cell["model"]).config(),
        max_seq_length=cell["length"],
        train_batch_size=8,
        document_lines=None,
        num_lines=10_000,
    )
    texts.prepare(args)
    run = texts.Run(args, way)

    def job(times):
        before = run.texts
        run.texts_a_second(times)
        return {"items": (run.texts - before) / times}

    return job


def _answers(name):
    def make(cell):
        import ours_prediction

        return getattr(ours_prediction, name)(cell)

    return make


WORKS = {
    "train_step": train_step,
    "forward": forward,
    "predict_mrpc": _answers("mrpc"),
    "predict_squad": _answers("squad"),
    "latency": _answers("latency"),
    "packing": packing,
}

if __name__ == "__main__":
    worker.serve(WORKS, ("tensorflow", "keras"))
