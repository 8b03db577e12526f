"""Relations against their formula, in float64 by NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from bert.training.objectives import relations

HEADS = 4
# Two rows of six tokens; the first one ends with padding.
MASK = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
# Two texts in the second row, one in the first.
STARTS = np.array([[0, 0], [0, 2]])


def vectors(size, seed):
    """Vectors of two rows: by name [2, HEADS, 6, size / HEADS]."""
    random = np.random.default_rng(seed)
    shape = (2, HEADS, 6, size // HEADS)
    return {n: random.normal(0, 1, shape) for n in relations.RELATED}


def tensors(arrays):
    return {n: tf.constant(x, tf.float32) for n, x in arrays.items()}


def softmax(scores):
    powers = np.exp(scores)
    return powers / powers.sum(axis=-1, keepdims=True)


def formula(student, teacher, tokens):
    """The loss of a text's tokens: [n], of a row and its places."""
    row, places = tokens
    total = np.zeros(len(places))
    for name in relations.RELATED:
        for head in range(HEADS):
            q, p = (
                softmax(x @ x.T)
                for x in (
                    side[name][row, head][places] for side in (student, teacher)
                )
            )
            total += (p * np.log(p / q)).sum(axis=-1) / HEADS
    return total


@pytest.mark.parametrize("recomputes", [False, True])
@pytest.mark.parametrize(
    ("batch", "texts"),
    [
        (
            {"input_mask": MASK},
            [(0, [0, 1, 2, 3]), (1, [0, 1, 2, 3, 4, 5])],
        ),
        (
            {"input_mask": MASK, "text_starts": STARTS},
            [(0, [0, 1, 2, 3]), (1, [0, 1]), (1, [2, 3, 4, 5])],
        ),
    ],
)
def test_texts_have_the_loss_of_the_formula(batch, texts, recomputes):
    student, teacher = vectors(8, seed=1), vectors(12, seed=2)
    batch = {name: tf.constant(x) for name, x in batch.items()}
    found = relations.losses(
        tensors(student), tensors(teacher), batch, recomputes
    )
    weights, epsilon = relations.loss_weight(batch)
    np.testing.assert_array_equal(weights, MASK.reshape(-1))
    assert epsilon == 1e-5
    found = found.numpy().reshape(MASK.shape)
    for row, places in texts:
        np.testing.assert_allclose(
            found[row][places],
            formula(student, teacher, (row, places)),
            rtol=1e-5,
        )


@pytest.mark.parametrize("recomputes", [False, True])
def test_the_gradient_is_that_of_the_formula(recomputes):
    student, teacher = vectors(8, seed=1), vectors(12, seed=2)
    batch = {"input_mask": tf.constant(MASK)}
    inputs = tensors(student)

    @tf.function
    def gradients(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            losses = relations.losses(
                inputs, tensors(teacher), batch, recomputes
            )
            weights = relations.loss_weight(batch).weights
            loss = tf.reduce_sum(losses * weights)
        return tape.gradient(loss, inputs)

    found = gradients(inputs)
    for name in relations.RELATED:
        for row, places in ((0, [0, 1, 2, 3]), (1, [*range(6)])):
            for head in range(HEADS):
                a = student[name][row, head][places]
                b = teacher[name][row, head][places]
                slope = (softmax(a @ a.T) - softmax(b @ b.T)) / HEADS
                np.testing.assert_allclose(
                    found[name][row, head].numpy()[places],
                    (slope + slope.T) @ a,
                    rtol=1e-4,
                    atol=1e-6,
                )
    padding = found["queries"][0, :, 4:].numpy()
    np.testing.assert_array_equal(padding, np.zeros_like(padding))


def test_a_student_that_relates_as_its_teacher_has_no_loss_in_any_dtype():
    batch = {"input_mask": tf.constant(MASK)}
    # As large as float16 holds: masked scores must not be what overflows.
    for dtype in (tf.float32, tf.bfloat16, tf.float16):
        same = {n: tf.cast(x * 9, dtype) for n, x in vectors(8, 1).items()}
        found = relations.losses(same, same, batch)
        assert found.dtype == tf.float32
        np.testing.assert_array_equal(found, np.zeros(12))
