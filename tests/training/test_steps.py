"""One step in several ways: cut into parts, recomputed, by XLA, in float16."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint, heads
from bert.training.loss_scale import LossScale
from bert.training.steps import StepSettings, compile_train_step
from tests.training.test_loop import GoldenRun, assert_same_end


def follow_original(golden, name, *, recomputes=False, **settings):
    """Takes the golden run's 12 steps; returns the losses and the run."""
    run = GoldenRun(golden, name)
    run.restore(0)
    if recomputes:
        run.model.backbone.recompute_activations()
    step = compile_train_step(
        run.model, run.optimizer, StepSettings(seed=0, **settings)
    )
    return [float(step(run.batch(i))["loss"]) for i in range(12)], run


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        # Masked positions are spread unevenly over the parts.
        ("train_pretraining", {"gradient_accumulation_steps": 4}),
        ("train_squad", {"gradient_accumulation_steps": 2}),
        ("train_classifier", {"recomputes": True}),
        ("train_classifier", {"use_xla": True}),
        (
            "train_classifier",
            {
                "gradient_accumulation_steps": 2,
                "recomputes": True,
                "use_xla": True,
            },
        ),
    ],
)
def test_every_way_is_the_way_of_the_original(golden, name, settings):
    losses, run = follow_original(golden, name, **settings)
    np.testing.assert_allclose(
        losses, run.trajectory["losses"], rtol=0, atol=1e-5
    )
    assert_same_end(
        run.tensors(), checkpoint.Reader(str(run.folder / "model.ckpt-12"))
    )


def dropping(golden, recomputes, **settings):
    """Takes a step with dropout; returns the weights after it."""
    run = GoldenRun(golden, "train_pretraining")
    config = dataclasses.replace(
        run.model.backbone.config,
        num_hidden_layers=2,
        hidden_dropout_prob=0.2,
        attention_probs_dropout_prob=0.2,
    )
    run.model = heads.PretrainingModel(config, init_seed=1)
    if recomputes:
        run.model.backbone.recompute_activations()
    run.optimizer.variables = {
        checkpoint.checkpoint_name(v, run.model): v.value
        for v in run.model.trainable_variables
    }
    run.optimizer.schedule = lambda step: tf.constant(0.01)
    step = compile_train_step(
        run.model, run.optimizer, StepSettings(seed=5, **settings)
    )
    figures = step(run.batch(0))
    return float(figures["gradient_norm"]), run.tensors()


@pytest.mark.parametrize("parts", [1, 2])
def test_recomputed_activations_are_dropped_alike(golden, parts):
    kept, recomputed = (
        dropping(golden, recomputes, gradient_accumulation_steps=parts)
        for recomputes in (False, True)
    )
    np.testing.assert_allclose(recomputed[0], kept[0], rtol=1e-5)
    for name, value in kept[1].items():
        if name.endswith("adam_m"):
            np.testing.assert_allclose(
                recomputed[1][name], value, rtol=1e-4, atol=1e-7
            )


def test_parts_of_a_batch_are_dropped_differently(golden):
    run = GoldenRun(golden, "train_pretraining")
    # The same rows twice: with the same masks both parts would be alike, and
    # the step that of one half.
    half = {k: v[:4] for k, v in run.batch(0).items()}
    twice = {k: tf.concat([v, v], axis=0) for k, v in half.items()}

    def norm(batch, parts):
        run = GoldenRun(golden, "train_pretraining")
        config = dataclasses.replace(
            run.model.backbone.config,
            num_hidden_layers=1,
            hidden_dropout_prob=0.5,
        )
        run.model = heads.PretrainingModel(config, init_seed=1)
        run.optimizer.variables = {
            checkpoint.checkpoint_name(v, run.model): v.value
            for v in run.model.trainable_variables
        }
        settings = StepSettings(seed=5, gradient_accumulation_steps=parts)
        step = compile_train_step(run.model, run.optimizer, settings)
        return float(step(batch)["masked_lm_loss"])

    assert norm(twice, 2) != pytest.approx(norm(half, 1), rel=1e-4)


def test_a_gradient_that_is_not_finite_changes_nothing(golden):
    run = GoldenRun(golden, "train_classifier")
    run.restore(6)
    before = run.tensors()
    step = compile_train_step(run.model, run.optimizer, StepSettings(seed=0))
    weights = run.batch(6)
    poisoned = {**weights, "is_real_example": tf.zeros([8, 1], tf.int32)}
    figures = step(poisoned)  # divided by no rows at all
    assert not np.isfinite(figures["gradient_norm"])
    after = run.tensors()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert run.optimizer.skipped_steps.numpy() == 1


def test_float16_scales_the_loss_and_skips_what_overflows(golden):
    run = GoldenRun(golden, "train_classifier")
    run.restore(0)
    scale = LossScale()
    step = compile_train_step(
        run.model, run.optimizer, StepSettings(seed=0), loss_scale=scale
    )
    figures = step(run.batch(0))
    # Float32 weights and products here: the scale alone must not be felt.
    assert float(figures["loss"]) == pytest.approx(
        run.trajectory["losses"][0], abs=1e-5
    )
    np.testing.assert_allclose(
        run.tensors()["output_bias/adam_m"],
        follow_one(golden)["output_bias/adam_m"],
        rtol=1e-4,
        atol=1e-8,
    )
    scale.scale.assign(3e38)
    assert not np.isfinite(step(run.batch(1))["gradient_norm"])
    assert float(scale.scale.numpy()) == pytest.approx(1.5e38)
    assert run.optimizer.global_step.numpy() == 1
    assert run.optimizer.skipped_steps.numpy() == 1


def follow_one(golden):
    """Returns the tensors after one plain step."""
    run = GoldenRun(golden, "train_classifier")
    run.restore(0)
    step = compile_train_step(run.model, run.optimizer, StepSettings(seed=0))
    step(run.batch(0))
    return run.tensors()


def test_max_grad_norm_is_the_longest_gradient(golden):
    def moment(max_grad_norm):
        run = GoldenRun(golden, "train_classifier")
        run.restore(0)
        step = compile_train_step(
            run.model,
            run.optimizer,
            StepSettings(seed=0, max_grad_norm=max_grad_norm),
        )
        norm = float(step(run.batch(0))["gradient_norm"])
        return norm, run.tensors()["output_bias/adam_m"]

    norm, whole = moment(1e6)
    _, cut = moment(norm / 4)
    np.testing.assert_allclose(cut, whole / 4, rtol=1e-5)
