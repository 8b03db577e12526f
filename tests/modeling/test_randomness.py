import keras
import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.config import MAX_DROPOUT
from bert.modeling.randomness import (
    DropoutSeeds,
    WeightInitializer,
    drop,
    dropout,
    kept_scale,
    not_drawn,
    split_seed,
)

SEED = tf.constant([7, 11], tf.int32)
ONES = tf.ones([200, 500])


def kept(seed, rate=0.3):
    return dropout(ONES, rate, seed).numpy() != 0


def test_dropout_drops_the_rate_and_keeps_the_mean():
    x = dropout(ONES, 0.3, SEED).numpy()
    # 100,000 draws: four standard deviations are 0.0058.
    assert abs(np.mean(x == 0) - 0.3) < 0.006
    np.testing.assert_allclose(x[x != 0], 1 / 0.7, rtol=1e-6)
    assert abs(np.mean(x) - 1) < 0.009


@pytest.mark.parametrize("rate", [0.1, 0.001, MAX_DROPOUT])
def test_chance_is_the_rate_over_many_seeds(rate):
    # 0.1 * 256 is 25.6: a mask drops 25 or 26 of 256, all of them 25.6.
    draw = tf.function(
        lambda i: tf.reduce_sum(drop(tf.ones([10_000]), rate, tf.stack([i, 1])))
    )
    shares = [1 - float(draw(tf.constant(i))) / 10_000 for i in range(300)]
    deviation = np.sqrt(rate * (1 - rate) / (300 * 10_000))
    # The choice between two numbers of cases adds to it.
    assert abs(np.mean(shares) - rate) < 4 * deviation + 4 / 512 / np.sqrt(300)


def test_random_bits_stay_where_they_are_drawn():
    graph = tf.function(lambda: drop(ONES, 0.1, SEED)).get_concrete_function()
    (drawn,) = (
        op for op in graph.graph.get_operations() if "Uniform" in op.type
    )
    # What works on int32 would first take them from a GPU to the host.
    assert [op.type for op in drawn.outputs[0].consumers()] == ["Bitcast"]


@pytest.mark.parametrize("shape", [[], [0], [3], [2, 5, 7]])
def test_dropout_takes_any_shape(shape):
    x = dropout(tf.ones(shape), 0.5, SEED)
    assert x.shape == shape
    assert set(x.numpy().flat) <= {0.0, 2.0}


def test_drop_leaves_the_scale_to_the_caller():
    whole = dropout(ONES, 0.3, SEED)
    np.testing.assert_allclose(
        kept_scale(0.3, SEED) * drop(ONES, 0.3, SEED), whole
    )
    assert kept_scale(0.3, None) == 1.0


def test_dropout_keeps_the_values_it_keeps():
    x = tf.random.stateless_normal([50, 50], SEED)
    y = dropout(x, 0.5, SEED).numpy()
    np.testing.assert_allclose(y[y != 0], 2 * x.numpy()[y != 0], rtol=1e-6)


def test_same_seed_same_mask_other_seed_another():
    np.testing.assert_array_equal(kept(SEED), kept(SEED))
    assert np.mean(kept(SEED) != kept(tf.constant([7, 12]))) > 0.3
    assert np.mean(kept(SEED) != kept(tf.constant([8, 11]))) > 0.3


@pytest.mark.parametrize(("rate", "seed"), [(0.0, SEED), (0.5, None)])
def test_dropout_of_nothing_is_the_input(rate, seed):
    assert dropout(ONES, rate, seed) is ONES


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_dropout_keeps_the_dtype_and_draws_the_same_mask(dtype):
    x = dropout(tf.cast(ONES, dtype), 0.3, SEED)
    assert x.dtype == dtype
    np.testing.assert_array_equal(x.numpy() != 0, kept(SEED))


def test_dropout_gradient_goes_where_values_went():
    x = tf.ones([20, 20])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dropout(x, 0.3, SEED)
    np.testing.assert_allclose(tape.gradient(y, x), y)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_what_is_dropped_is_zero_whatever_it_was(dtype):
    signs = tf.where(drop(ONES[0], 0.5, SEED) == 0, np.nan, -1.0)

    @tf.function(autograph=False)
    def dropped(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = drop(x, 0.5, SEED)
        return y, tape.gradient(y, x, output_gradients=x)

    for values in dropped(tf.cast(signs, dtype)):
        found = tf.cast(values, tf.float32).numpy()
        np.testing.assert_array_equal(found, np.where(signs == -1.0, -1.0, 0))
        assert not np.signbit(found[found == 0]).any()


def test_dropout_masks_of_split_seeds_are_independent():
    masks = [kept(seed) for seed in split_seed(SEED, 4)]
    masks.append(kept(split_seed(tf.constant([7, 12]), 4)[0]))
    for i, one in enumerate(masks):
        for other in masks[:i]:
            # Both kept: 0.7 * 0.7 of independent masks.
            assert abs(np.mean(one & other) - 0.49) < 0.01


def test_split_seeds_of_neighbouring_seeds_share_nothing():
    # As a loop would number steps, micro-batches and replicas.
    seeds = [
        tuple(part.numpy())
        for a in range(8)
        for b in range(8)
        for part in split_seed(tf.constant([a, b]), 40)
    ]
    assert len(set(seeds)) == 8 * 8 * 40


def test_split_of_no_seed_is_none():
    assert split_seed(None, 3) == [None, None, None]


def test_dropout_is_the_same_in_a_graph_and_compiled():
    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def graph(x):
        return dropout(x, 0.3, SEED)

    compiled = tf.function(lambda x: dropout(x, 0.3, SEED), jit_compile=True)
    expected = dropout(ONES, 0.3, SEED)
    np.testing.assert_array_equal(graph(ONES), expected)
    np.testing.assert_array_equal(compiled(ONES), expected)


@pytest.mark.parametrize("seed", [[7, 11], [-7, 11], [7, -11]])
def test_split_seeds_drop_alike_when_compiled(seed):
    def masks(x):
        seeds = split_seed(tf.constant(seed), 6)
        return [dropout(x, 0.3, one) for one in seeds]

    compiled = tf.function(masks, jit_compile=True)
    np.testing.assert_array_equal(compiled(ONES), masks(ONES))


def test_without_a_seed_in_training_each_pass_draws_another():
    seeds = DropoutSeeds()
    drawn = [seeds.seed(True, None, [0.0, 0.1]) for _ in range(3)]
    assert {(x.dtype, *x.shape) for x in drawn} == {(tf.int32, 2)}
    assert len({tuple(x.numpy()) for x in drawn}) == 3


def test_a_seed_is_only_drawn_where_something_drops():
    seeds = DropoutSeeds()
    seeds._draw = None
    assert seeds.seed(True, None, [0.0]) is None
    assert seeds.seed(False, SEED, [0.1]) is None
    assert seeds.seed(False, None, [0.1]) is None
    np.testing.assert_array_equal(seeds.seed(True, [7, 11], [0.1]), SEED)


def test_keras_seed_decides_what_is_drawn():
    def drawn():
        keras.utils.set_random_seed(3)
        weights = WeightInitializer(1.0, None)("a")([2], "float32")
        seed = DropoutSeeds().seed(True, None, [0.1])
        return [*weights.numpy(), *seed.numpy()]

    try:
        assert drawn() == drawn()
    finally:  # else it also decides how tf.data shuffles, in later tests
        tf.random.set_seed(None)


def test_start_weights_are_a_truncated_normal():
    drawn = WeightInitializer(0.02, 1)("kernel")([400, 500], "float32").numpy()
    assert np.max(np.abs(drawn)) <= 0.04
    assert abs(np.mean(drawn)) < 2e-4
    # Cut at two sigma, 0.8796 of the deviation is left.
    assert abs(np.std(drawn) / 0.02 - 0.8796) < 0.01


def test_weights_that_a_checkpoint_has_are_not_drawn():
    draw = WeightInitializer(0.02, 1)
    with not_drawn({"a"}):
        assert not np.any(draw("a")([5], dtype="float32"))
        assert np.all(draw("b")([5], "float32"))
    assert np.all(draw("a")([5], "float32"))


def test_start_weights_follow_from_seed_and_name():
    def draw(seed, name):
        return WeightInitializer(0.02, seed)(name)([50], "float32").numpy()

    np.testing.assert_array_equal(draw(1, "a"), draw(1, "a"))
    assert np.all(draw(1, "a") != draw(1, "b"))
    assert np.all(draw(1, "a") != draw(2, "a"))
    assert np.all(draw(None, "a") != draw(None, "a"))
