import math

import numpy as np
import pytest
import tensorflow as tf

from bert.training import optimization

# A scale of the gradients, and whether they are finite.
UNSCALED = (tf.constant(1.0), tf.constant(True))


def rates(kind, learning_rate, steps, warmup):
    schedule = optimization.learning_rate_schedule(
        kind, learning_rate, steps, warmup
    )
    return [float(schedule(tf.constant(s, tf.int64))) for s in range(steps + 2)]


def test_original_schedule_starts_at_0_and_is_not_rebased_after_warmup():
    np.testing.assert_allclose(
        rates("original", 1.0, 10, 4),
        [0, 0.25, 0.5, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0],
        atol=1e-7,
    )


def test_original_schedule_without_warmup_starts_at_the_peak():
    np.testing.assert_allclose(
        rates("original", 2.0, 4, 0), [2, 1.5, 1, 0.5, 0, 0], atol=1e-7
    )


def test_linear_schedule_reaches_the_peak_at_the_end_of_warmup():
    np.testing.assert_allclose(
        rates("linear", 1.0, 6, 2),
        [0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0],
        atol=1e-7,
    )


@pytest.mark.parametrize("kind", ["original", "linear"])
def test_schedule_with_warmup_as_long_as_the_run_stays_finite(kind):
    assert np.all(np.isfinite(rates(kind, 1.0, 3, 3)))


def make(names, settings=None, rate=0.1):
    variables = {n: tf.Variable([1.0, -2.0]) for n in names}
    optimizer = optimization.AdamWeightDecay(
        variables, lambda step: tf.constant(rate), settings
    )
    return variables, optimizer


def test_update_follows_the_original_equations_without_bias_correction():
    variables, optimizer = make(["kernel"])
    w, m, v = np.array([1.0, -2.0]), 0.0, 0.0
    for step in range(3):
        g = np.array([0.3, -0.1]) * (step + 1)
        optimizer.apply([tf.constant(g, tf.float32)], *UNSCALED)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * (m / (np.sqrt(v) + 1e-6) + 0.01 * w)
    # A weight near 1 is rounded twice a step, by up to 6e-8.
    np.testing.assert_allclose(
        variables["kernel"].numpy(), w, rtol=0, atol=5e-7
    )
    assert optimizer.global_step.numpy() == 3


def test_a_thousand_updates_at_a_rate_of_1e_3_are_not_rounded_one_way():
    # 1 - rate * weight_decay itself is off by up to 3e-8 in float32, which a
    # thousand times one way would be 1e-5.
    rng = np.random.default_rng(1)
    w, m, v = rng.normal(size=1000), 0.0, 0.0
    weight = tf.Variable(w, dtype=tf.float32)
    optimizer = optimization.AdamWeightDecay(
        {"kernel": weight}, lambda step: tf.constant(1e-3)
    )
    step = tf.function(lambda g: optimizer.apply([g], *UNSCALED))
    for _ in range(1000):
        g = rng.normal(size=1000)
        step(tf.constant(g, tf.float32))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 1e-3 * (m / (np.sqrt(v) + 1e-6) + 0.01 * w)
    error = (weight.numpy() - w) * np.sign(w)
    assert abs(np.mean(error)) < 1e-6


def test_weights_and_moments_stay_where_they_are_in_memory():
    _, optimizer = make(["kernel"])
    step = tf.function(lambda g: optimizer.apply([g], *UNSCALED))
    kept = [
        *optimizer.variables.values(),
        *(v for n, v in optimizer.state().items() if n != "global_step"),
    ]

    def addresses():
        return [v.value()._numpy().__array_interface__["data"][0] for v in kept]

    step(tf.constant([0.3, -0.1]))
    before = addresses()
    values = [v.numpy() for v in kept]
    step(tf.constant([0.3, -0.1]))
    assert addresses() == before
    for variable, value in zip(kept, values, strict=True):
        assert np.all(variable.numpy() != value)


def test_bias_correction_is_adams_when_asked_for():
    variables, optimizer = make(
        ["kernel"],
        optimization.AdamSettings(weight_decay=0.0, bias_correction=True),
    )
    optimizer.apply([tf.constant([0.3, -0.1])], *UNSCALED)
    # The first corrected update is the gradient's sign, whatever its size.
    np.testing.assert_allclose(
        variables["kernel"].numpy(), [0.9, -1.9], atol=1e-5
    )


def test_decay_leaves_out_layer_norm_and_every_bias():
    decayed = [
        "bert/embeddings/word_embeddings",
        "bert/pooler/dense/kernel",
        "cls/seq_relationship/output_weights",
    ]
    excluded = [
        "bert/embeddings/LayerNorm/gamma",
        "bert/embeddings/LayerNorm/beta",
        "bert/pooler/dense/bias",
        "cls/predictions/output_bias",
        "block/layer_norm/scale",
    ]
    variables, optimizer = make(decayed + excluded)
    optimizer.apply([tf.zeros(2)] * 8, *UNSCALED)
    moved = {n for n, v in variables.items() if v.numpy()[0] != 1.0}
    assert moved == set(decayed)


@pytest.mark.parametrize(
    ("norm", "scale"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (4.0, 0.25)]
)
def test_clip_scale_shrinks_only_what_is_too_long(norm, scale):
    assert (
        float(optimization.clip_scale(tf.constant(np.float32(norm)))) == scale
    )


def lamb_step(w, g, m, v, t, decay=0.01, rate=0.1):
    """Algorithm 2 of You et al. 2019, in float64."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    r = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-6)
    u = r + decay * w
    return w - rate * np.linalg.norm(w) / np.linalg.norm(u) * u, m, v


def test_lamb_follows_the_papers_equations():
    weight = tf.Variable([[1.0, -2.0], [0.5, 3.0]])
    optimizer = optimization.Lamb(
        {"kernel": weight}, lambda step: tf.constant(0.1)
    )
    w, m, v = weight.numpy().astype(np.float64), 0.0, 0.0
    for t in range(1, 4):
        g = np.array([[0.3, -0.1], [2.0, 0.0]]) * t
        optimizer.apply([tf.constant(g, tf.float32)], *UNSCALED)
        w, m, v = lamb_step(w, g, m, v, t)
    np.testing.assert_allclose(weight.numpy(), w, rtol=1e-5)


@pytest.mark.parametrize("start", [[0.0, 0.0], [1.0, -2.0]])
def test_lamb_takes_adams_step_where_there_is_no_ratio(start):
    name = "kernel" if start == [0.0, 0.0] else "bias"
    weight, adams = tf.Variable(start), tf.Variable(start)
    settings = optimization.AdamSettings(bias_correction=True)
    for kind, variable in (
        (optimization.Lamb, weight),
        (optimization.AdamWeightDecay, adams),
    ):
        optimizer = kind(
            {name: variable}, lambda step: tf.constant(0.1), settings
        )
        optimizer.apply([tf.constant([0.3, -0.1])], *UNSCALED)
    np.testing.assert_allclose(weight.numpy(), adams.numpy(), rtol=1e-6)
    assert weight.numpy()[0] != start[0]


@pytest.mark.parametrize(
    "kind", [optimization.AdamWeightDecay, optimization.Lamb]
)
def test_gradients_are_scaled_and_a_step_may_change_nothing(kind):
    def updated(*updates):
        optimizer = kind(
            {"kernel": tf.Variable([1.0, -2.0])}, lambda step: tf.constant(0.1)
        )
        for gradient, scale, is_finite in updates:
            optimizer.apply(
                [tf.constant(gradient)],
                tf.constant(scale),
                tf.constant(is_finite),
            )
        state = {**optimizer.variables, **optimizer.state()}
        return {name: variable.numpy() for name, variable in state.items()}

    halved = updated(([0.5, -4.0], 0.5, True))
    expected = updated(([0.25, -2.0], 1.0, True))
    skipped = updated(
        ([0.5, -4.0], 0.5, True),
        ([math.nan, math.inf], math.nan, False),
        ([math.inf, 1.0], 0.0, False),
    )
    for name, value in expected.items():
        np.testing.assert_allclose(halved[name], value, rtol=1e-6)
        np.testing.assert_array_equal(skipped[name], halved[name])
    assert not np.array_equal(halved["kernel"], [1.0, -2.0])
