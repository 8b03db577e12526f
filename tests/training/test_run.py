import dataclasses
import logging

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.modeling.heads import PretrainingModel
from bert.training import checkpointing, loop, run
from bert.training.batches import Unreadable
from bert.training.feeds import Feed
from bert.training.length import Length
from tests.modeling.backbones.test_bert import TINY
from tests.modeling.test_heads import BATCH
from tests.training.configs import training_config


def follow(folder, num_steps, num_other_weights=0, **values):
    """Trains on the same rows again and again; returns the seeds used."""
    seeds = []

    def make_model(seed):
        seeds.append(seed)
        return ClassifierModel(TINY, 3, init_seed=seed)

    def make_batches(state, context):
        del state, context
        return tf.data.Dataset.from_tensors(BATCH).repeat()

    run.train(
        dataclasses.replace(
            training_config(
                output_dir=str(folder), train_batch_size=2, random_seed=5
            ),
            **values,
        ),
        Length(num_steps, 0),
        make_model,
        Feed(make_batches, Unreadable(), None, num_other_weights),
    )
    return seeds


def test_advice_on_memory_counts_what_is_beside_the_model(
    tmp_path, monkeypatch, caplog
):
    def fail(loop):
        raise MemoryError

    monkeypatch.setattr(loop.TrainLoop, "run", fail)
    with pytest.raises(UserError, match="Out of memory"):
        follow(tmp_path, 2, num_other_weights=2**30)
    assert "GiB, 4.0 of it the teacher's." in caplog.text


def test_a_second_run_goes_on_from_the_firsts_checkpoint(tmp_path):
    for steps in (2, 3):
        follow(tmp_path, steps)
    reader = checkpoint.Reader(str(tmp_path))
    assert checkpointing.step_of(reader) == 3
    state = checkpointing.read_state(reader)
    assert (state.seed, state.examples_seen) == (5, 2 * 3)


def test_frozen_layers_and_recomputation_are_the_backbones(tmp_path):
    follow(tmp_path, 1, freeze_layers=1, recompute_activations=True)
    names = checkpoint.Reader(str(tmp_path)).shapes
    assert "bert/encoder/layer_1/output/dense/kernel/adam_m" in names
    assert "bert/encoder/layer_0/output/dense/kernel/adam_m" not in names
    assert "bert/embeddings/word_embeddings/adam_m" not in names


@pytest.mark.parametrize(("optimizer", "parts"), [("adamw", 2), ("lamb", 1)])
def test_layerwise_decay_scales_the_step_of_each_layer(
    optimizer, parts, tmp_path
):
    moved = {}
    for name, decay in (("plain", 1.0), ("decayed", 0.5)):
        follow(
            tmp_path / name,
            1,
            optimizer=optimizer,
            learning_rate=0.01,
            layerwise_lr_decay=decay,
            gradient_accumulation_steps=parts,
        )
        before, after = (
            checkpoint.Reader(str(tmp_path / name / f"model.ckpt-{step}"))
            for step in (0, 1)
        )
        moved[name] = {
            weight: after.read(weight) - before.read(weight)
            for weight in after.shapes
            if f"{weight}/adam_m" in after
        }
    assert len(moved["plain"]) > 30
    for weight, plain in moved["plain"].items():
        factor = 1.0  # the head's, and the pooler's
        for start, power in (
            ("bert/embeddings/", 4),
            ("bert/encoder/layer_0/", 3),
            ("bert/encoder/layer_1/", 2),
        ):
            if weight.startswith(start):
                factor = 0.5**power
        assert np.abs(plain).max() > 0
        np.testing.assert_allclose(
            moved["decayed"][weight], factor * plain, rtol=1e-3, atol=2e-7
        )


def test_the_word_table_and_the_masked_lm_head_have_their_own_rates():
    model = PretrainingModel(TINY)
    config = training_config(layerwise_lr_decay=0.5)
    factors = run.rate_factors(config, model)
    assert factors["bert/embeddings/word_embeddings"] == 0.5**4
    heads = [n for n in factors if n.startswith(("cls/", "bert/pooler/"))]
    assert "cls/predictions/output_bias" in heads
    assert {factors[name] for name in heads} == {1}


def test_a_run_that_is_done_makes_no_model(tmp_path, caplog):
    assert follow(tmp_path, 2) == [5]
    with caplog.at_level(logging.WARNING):
        assert follow(tmp_path, 2) == []
    assert "is at step 2 already" in caplog.text
    assert "raise --num_train_steps" in caplog.text


@pytest.mark.parametrize(
    ("values", "steps", "message"),
    [
        ({}, 0, "--num_train_epochs gives 0 steps"),
        (
            {"gradient_accumulation_steps": 5},
            1,
            "--train_batch_size must be a multiple of 5",
        ),
    ],
)
def test_a_run_without_a_whole_step_is_refused(values, steps, message):
    config = training_config(**values)
    with pytest.raises(UserError, match=message):
        run.check_size(config, Length(steps, 0, "num_train_epochs"))
