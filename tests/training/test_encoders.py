"""Training of every encoder: in parts, recomputed, resumed, on two devices."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint, heads
from bert.modeling.classifiers import ClassifierModel
from bert.training import checkpointing, loop, optimization
from bert.training.checkpointing import RunState
from bert.training.steps import StepSettings, compile_train_step
from tests.modeling import test_heads
from tests.modeling.backbones.encoders import every_type
from tests.modeling.backbones.test_bert import TINY
from tests.scripts.runner import run_code
from tests.training.test_loop import GoldenRun, train

PRETRAINING = "train_pretraining"


class Run(GoldenRun):
    """The batches of the golden run, and another model."""

    def __init__(self, golden, encoder_type, dropout=0.0):
        super().__init__(golden, PRETRAINING)
        config = dataclasses.replace(
            self.model.backbone.config,
            encoder_type=encoder_type,
            num_hidden_layers=2,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        self.model = heads.PretrainingModel(config, init_seed=1)
        self.optimizer = optimization.AdamWeightDecay(
            {
                checkpoint.checkpoint_name(v, self.model): v.value
                for v in self.model.trainable_variables
            },
            lambda step: tf.constant(1e-3),
        )


def take(run, num_steps=2, batches=range(12), **settings):
    """Takes some steps; returns the losses and the tensors after them."""
    step = compile_train_step(
        run.model, run.optimizer, StepSettings(seed=5, **settings)
    )
    losses = [float(step(run.batch(i))["loss"]) for i in batches[:num_steps]]
    return losses, run.tensors()


def assert_same(found, expected):
    """Compares losses, and the moments of all weights."""
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    for name, value in expected[1].items():
        if name.endswith("adam_m"):
            limit = 1e-4 * np.max(np.abs(value)) + 1e-8
            assert np.max(np.abs(found[1][name] - value)) <= limit, name


@pytest.mark.slow
@every_type
def test_parts_of_a_batch_make_the_same_step(golden, encoder_type):
    whole, *others = (
        take(Run(golden, encoder_type), gradient_accumulation_steps=parts)
        for parts in (1, 2, 4)
    )
    first, again = take(Run(golden, encoder_type), batches=[0, 0])[0]
    assert again < first
    for other in others:
        assert_same(other, whole)


@every_type
def test_weights_that_no_vector_of_a_row_needs_stay(encoder_type):
    config = dataclasses.replace(TINY, encoder_type=encoder_type)
    model = test_heads.make(ClassifierModel, config)
    optimizer = optimization.AdamWeightDecay(
        {
            checkpoint.checkpoint_name(v, model): v.value
            for v in model.trainable_variables
        },
        lambda step: tf.constant(1e-2),
    )
    step = compile_train_step(model, optimizer, StepSettings(seed=5))
    before = {v.path: v.numpy() for v in model.variables}
    losses = [float(step(test_heads.BATCH)["loss"]) for _ in range(3)]
    assert losses[2] < losses[0]
    same = [
        v.path
        for v in model.variables
        if np.array_equal(v.numpy(), before[v.path])
    ]
    unused = [f"encoder/layer_1/LayerNorm/{name}" for name in ("beta", "gamma")]
    assert same == (unused if encoder_type == "bilstm" else [])


@pytest.mark.slow
@every_type
def test_recomputed_activations_are_dropped_alike(golden, encoder_type):
    found = []
    for recomputes in (False, True):
        run = Run(golden, encoder_type, dropout=0.2)
        if recomputes:
            run.model.backbone.recompute_activations()
        found.append(take(run, num_steps=1))
    assert_same(*found)


@pytest.mark.slow
@every_type
def test_xla_makes_the_same_step(golden, encoder_type):
    assert_same(
        take(Run(golden, encoder_type), use_xla=True),
        take(Run(golden, encoder_type)),
    )


@pytest.mark.slow
@every_type
def test_a_resumed_run_is_the_same_to_the_bit(golden, tmp_path, encoder_type):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = Run(golden, encoder_type, dropout=0.2)
    train(whole, tmp_path / "whole", num_train_steps=4)
    first = Run(golden, encoder_type, dropout=0.2)
    train(first, tmp_path / "parts", num_train_steps=2)
    second = Run(golden, encoder_type, dropout=0.2)
    checkpointing.restore(
        checkpoint.Reader(str(tmp_path / "parts")),
        loop.Trained(second.model, second.optimizer).tensors(),
        second.model.backbone.scope,
    )
    batches = (second.batch(step) for step in range(2, 12))
    train(
        second,
        tmp_path / "parts",
        batches=batches,
        state=RunState(seed=1, examples_seen=16),
        num_train_steps=4,
    )
    for name, value in whole.tensors().items():
        np.testing.assert_array_equal(second.tensors()[name], value, name)


CODE = """
import sys
from pathlib import Path
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from tests.training import test_encoders
from bert.training import steps

golden, encoder_type = Path("tests/golden"), sys.argv[1]
expected = test_encoders.take(test_encoders.Run(golden, encoder_type))
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    run = test_encoders.Run(golden, encoder_type)
    step = steps.compile_train_step(
        run.model, run.optimizer, steps.StepSettings(seed=5)
    )
    losses = []
    for number in range(2):
        batch = run.batch(number)
        halves = strategy.experimental_distribute_values_from_function(
            lambda context: {
                name: tf.split(value, 2)[context.replica_id_in_sync_group]
                for name, value in batch.items()
            }
        )
        losses.append(float(step(halves)["loss"]))
test_encoders.assert_same((losses, run.tensors()), expected)
"""


@pytest.mark.slow
@every_type
def test_two_devices_make_the_same_step(encoder_type):
    done = run_code(CODE, encoder_type)
    assert done.returncode == 0, done.stderr
