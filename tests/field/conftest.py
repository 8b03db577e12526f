"""A tiny run of run_ner.py, whose steps only count."""

import pytest
import tensorflow as tf

from bert.training import steps
from tests.scripts import toy_tagging


def counting_step(model, optimizer, *_):
    """Stands in for `compile_train_step`: the weights stay."""

    def step(batch):
        optimizer.global_step.assign_add(1)
        return {"loss": tf.constant(1.0), "gradient_norm": tf.constant(1.0)}

    return step


@pytest.fixture
def tag(golden, tmp_path, monkeypatch):
    """Returns a function: flags → a run of run_ner.py in tmp_path/out."""
    monkeypatch.setattr(steps, "compile_train_step", counting_step)
    for seed, name in enumerate(("train", "other")):
        words = toy_tagging.sentences(8, seed=seed, longest=9)
        (tmp_path / f"{name}.txt").write_text(toy_tagging.conll_text(words))

    def run(*args):
        toy_tagging.tag(
            *toy_tagging.model_flags(golden, tmp_path / "out"),
            f"--train_file={tmp_path / 'train.txt'}",
            "--do_train",
            "--train_batch_size=4",
            "--num_train_epochs=1",
            *args,
        )

    return run


@pytest.fixture
def contents(tmp_path):
    """Returns a function: the files of tmp_path/out, with what is in them."""

    def read():
        paths = (tmp_path / "out").rglob("*")
        return {str(p): p.read_bytes() for p in paths if p.is_file()}

    return read
