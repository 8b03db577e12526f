import keras
import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.modeling.heads import PretrainingModel, SpanModel
from bert.modeling.randomness import DropoutSeeds
from tests.modeling.backbones.test_bert import DROPPING
from tests.modeling.test_heads import BATCH, TASKS, gradients, make, total_loss


@pytest.mark.parametrize("task", TASKS)
def test_trainable_weights_are_those_with_a_gradient(task):
    model = make(task)
    with_gradient = {n for n, g in gradients(model).items() if g is not None}
    trainable = {
        checkpoint.checkpoint_name(v, model) for v in model.trainable_variables
    }
    assert with_gradient == trainable
    pooler = {n for n in checkpoint.named_variables(model) if "pooler" in n}
    assert (trainable >= pooler) == (task is not SpanModel)


@pytest.mark.parametrize("task", TASKS)
def test_encoder_and_head_start_from_the_seed(task):
    one, again = make(task), make(task)
    other = make(PretrainingModel)
    for a, b in zip(one.variables, again.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(
        one.backbone.variables, other.backbone.variables, strict=True
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_the_batch_is_not_rounded_whatever_the_global_policy():
    seen = []
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(PretrainingModel, compute_dtype="bfloat16")
    finally:
        keras.config.set_dtype_policy("float32")
    model.encode = lambda batch, *args, **kwargs: (
        seen.append(batch) or type(model).encode(model, batch, *args, **kwargs)
    )
    outputs = model(
        {**BATCH, "masked_lm_weights": tf.fill([2, 2], 1.0 + 2.0**-12)}
    )
    assert seen[0]["masked_lm_weights"].numpy()[0, 0] == 1.0 + 2.0**-12
    assert {x.dtype for x in outputs.values()} == {tf.float32}


@pytest.mark.parametrize("task", TASKS)
def test_loss_of_parts_adds_up_to_that_of_the_batch(task):
    model = make(task)
    weights = model.loss_weights(BATCH)
    total = 0.0
    for row in range(2):
        part = {name: x[row : row + 1] for name, x in BATCH.items()}
        losses = model.losses(model(part), part)
        for name, (w, epsilon) in model.loss_weights(part).items():
            whole = tf.reduce_sum(weights[name].weights) + epsilon
            total += tf.reduce_sum(w * losses[name]) / whole
    np.testing.assert_allclose(total, total_loss(model, BATCH), rtol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_dropout_draws_a_seed_if_there_is_none(task):
    model = make(task, DROPPING)
    one, two = (tf.nest.flatten(model(BATCH, training=True)) for _ in range(2))
    assert np.any(one[0] != two[0])
    names = {v.path for v in model.variables}
    assert names == {w.path for w in model.weights}
    assert not any("seed" in name for name in names)


@pytest.mark.parametrize("task", TASKS)
def test_our_loop_gives_all_seeds(task, monkeypatch):
    monkeypatch.delattr(DropoutSeeds, "_draw")
    make(task, DROPPING)(BATCH, training=True, seed=[1, 2])


@pytest.mark.parametrize("task", TASKS)
def test_mask_and_segments_may_be_left_out(task):
    model = make(task)
    ids = BATCH["input_ids"]
    given = {"input_mask": tf.ones_like(ids), "segment_ids": tf.zeros_like(ids)}
    short = {name: x for name, x in BATCH.items() if name not in given}
    for one, two in zip(
        model(short).values(), model({**BATCH, **given}).values(), strict=True
    ):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("task", TASKS)
def test_a_keras_model_does_what_the_layer_does(task):
    layer = make(task)
    model = layer.keras_model()
    inputs = {name: BATCH[name] for name in layer.inputs}
    for one, two in zip(
        tf.nest.flatten(model(inputs)),
        tf.nest.flatten(layer(BATCH)),
        strict=True,
    ):
        np.testing.assert_allclose(one, two, atol=1e-6)
    lines = []
    model.summary(print_fn=lines.append)
    assert f"{layer.name}" in "".join(lines)
    assert len("".join(lines).splitlines()) < 40
