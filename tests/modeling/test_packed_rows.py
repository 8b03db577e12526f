"""Texts of a row are as if each had a row of its own."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.data.corpus import packed_texts
from bert.modeling import checkpoint, packed_rows
from bert.modeling.heads import PretrainingModel
from bert.training.optimization import AdamSettings, AdamWeightDecay
from bert.training.steps import StepSettings, compile_train_step
from tests.modeling.backbones.test_bert import TINY

CONFIG = dataclasses.replace(
    TINY,
    max_position_embeddings=40,
    hidden_size=16,
    intermediate_size=24,
    initializer_range=0.1,
)
LENGTH, PREDICTIONS = 40, 8


def make_texts(count=12, seed=0):
    """Texts of 5 to 18 ids, of two segments, some positions to predict."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 19, count)
    places = np.arange(LENGTH)
    real = places < sizes[:, None]
    ids = rng.integers(1, 20, (count, LENGTH)) * real
    firsts = rng.integers(2, sizes)
    num_predictions = rng.integers(1, 4, count)
    used = np.arange(PREDICTIONS) < num_predictions[:, None]
    chosen = np.stack(
        [
            np.sort(rng.permutation(size - 1)[:PREDICTIONS])
            if size > PREDICTIONS
            else np.resize(np.arange(1, size), PREDICTIONS)
            for size in sizes
        ]
    )
    values = {
        "input_ids": ids,
        "input_mask": real,
        "segment_ids": real & (places >= firsts[:, None]),
        "masked_lm_positions": (chosen + 1).clip(max=LENGTH - 1) * used,
        "masked_lm_ids": rng.integers(1, 20, used.shape) * used,
        "masked_lm_weights": used.astype(np.float32),
        "next_sentence_labels": rng.integers(0, 2, (count, 1)),
    }
    return {
        name: v if v.dtype == np.float32 else v.astype(np.int32)
        for name, v in values.items()
    }


def as_tensors(arrays):
    return {name: tf.constant(values) for name, values in arrays.items()}


def step(batch, recomputes=False, **settings):
    """Takes a step; returns its figures and the first moments by name."""
    model = PretrainingModel(CONFIG, init_seed=1)
    if recomputes:
        model.backbone.recompute_activations()
    optimizer = AdamWeightDecay(
        {
            checkpoint.checkpoint_name(v, model): v.value
            for v in model.trainable_variables
        },
        lambda step: tf.constant(0.1),
        AdamSettings(),
    )
    take = compile_train_step(
        model, optimizer, StepSettings(seed=0, max_grad_norm=1e9, **settings)
    )
    figures = take(as_tensors(batch))
    moments = {
        name: value.numpy()
        for name, value in optimizer.state().items()
        if name.endswith("adam_m")
    }
    return {n: float(v) for n, v in figures.items()}, moments


TEXTS = make_texts()
PACKED = packed_texts.pack(TEXTS)
EVEN = packed_texts.lay_out(TEXTS, np.arange(12) // 2)


@pytest.fixture(scope="module")
def unpacked():
    return step(TEXTS)


def test_a_token_counts_from_its_text_and_sees_its_text_alone():
    positions, mask = packed_rows.positions_and_mask(
        tf.constant([[0, 2, 0], [0, 0, 0]]),
        tf.constant([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]]),
    )
    assert positions.numpy().tolist() == [[0, 1, 0, 1, 2], [0, 1, 2, 3, 4]]
    assert mask.numpy().tolist() == [
        [[1, 1, 0, 0, 0]] * 2 + [[0, 0, 1, 1, 0]] * 3,
        [[1, 1, 1, 0, 0]] * 5,
    ]
    assert packed_rows.text_weights(
        tf.constant([[0, 2, 0], [0, 0, 0]])
    ).numpy().tolist() == [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("packed", "settings"),
    [
        (PACKED, {}),
        (EVEN, {"gradient_accumulation_steps": 2, "recomputes": True}),
        pytest.param(PACKED, {"use_xla": True}, marks=pytest.mark.slow),
    ],
)
def test_losses_and_every_gradient_are_those_of_texts_in_rows(
    packed, settings, unpacked
):
    assert len(packed["input_ids"]) < len(TEXTS["input_ids"])
    figures, moments = unpacked
    found, packed_moments = step(packed, **settings)
    assert found == pytest.approx(figures, rel=1e-6, abs=1e-6)
    for name, expected in moments.items():
        # A moment is a tenth of the gradient.
        np.testing.assert_allclose(
            10 * packed_moments[name],
            10 * expected,
            rtol=1e-6,
            atol=1e-6,
            err_msg=name,
        )


def test_no_text_sees_another_one():
    model = PretrainingModel(CONFIG, init_seed=1)
    changed = {name: values.copy() for name, values in EVEN.items()}
    stop = EVEN["text_starts"][0, 1]
    end = EVEN["input_mask"][0].sum()
    changed["input_ids"][0, :stop] = 19
    one, other = (
        model.encode(as_tensors(batch), training=False, seed=None)
        for batch in (EVEN, changed)
    )
    for name, same in (
        ("sequence_output", (0, slice(stop, end))),
        ("pooled_output", slice(1, None)),
    ):
        assert np.array_equal(one[name][same], other[name][same])
        assert not np.array_equal(one[name][0], other[name][0])
