"""What a TPU compiles, compiled here: whole steps by XLA at fixed shapes."""

import numpy as np
import pytest
import tensorflow as tf

from bert.training.batches import Batches
from bert.training.forward import Forward
from bert.training.steps import StepSettings, compile_train_step
from tests.training.test_loop import MODELS, GoldenRun


@pytest.mark.parametrize("name", list(MODELS))
def test_xla_compiles_the_train_step_with_its_update(golden, name):
    run = GoldenRun(golden, name)
    run.restore(0)
    step = tf.function(
        compile_train_step(run.model, run.optimizer, StepSettings(seed=0)),
        jit_compile=True,
    )
    losses = [float(step(run.batch(i))["loss"]) for i in range(3)]
    np.testing.assert_allclose(
        losses, run.trajectory["losses"][:3], rtol=0, atol=1e-5
    )
    assert run.optimizer.global_step.numpy() == 3


@pytest.mark.parametrize("name", list(MODELS))
def test_xla_compiles_the_step_of_evaluation(golden, name):
    run = GoldenRun(golden, name)
    run.restore(0)

    def figures(outputs, batch):
        return {**outputs, **run.model.losses(outputs, batch)}

    def select(outputs, batch):
        compiled = tf.function(figures, jit_compile=True)
        return compiled(outputs, batch)

    model = tf.function(run.model, jit_compile=True)
    by_xla = Forward(
        lambda batch, training: model(batch, training=training), select
    )
    plain = Forward(run.model, figures)
    batches = Batches([run.batch(0)])
    for found, expected in zip(by_xla(batches), plain(batches), strict=True):
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=0, atol=2e-5)
