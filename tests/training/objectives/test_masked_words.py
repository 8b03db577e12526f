"""The teacher's likeliest words against their formula, in float64 by NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.heads import PretrainingModel
from bert.training.objectives import masked_words
from bert.training.objectives.distillation import Settings
from tests.conversion import run_folder

STUDENT = np.array([[1.0, -2.0, 0.5, 2.0], [0.0, 3.0, 1.0, 0.5]])
TEACHER = np.array([[2.0, 0.0, -1.0, 1.5], [0.5, 0.25, 4.0, -1.0]])


def softmax(logits):
    powers = np.exp(np.asarray(logits, np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("top_k", [2, 4])
def test_of_the_likeliest_words(top_k):
    found = masked_words.divergence(
        *(tf.constant(x, tf.float32) for x in (STUDENT, TEACHER)), 2.0, top_k
    )
    expected = []
    for student, teacher in zip(STUDENT, TEACHER, strict=True):
        words = np.argsort(-teacher)[:top_k]
        p, q = softmax(teacher[words] / 2), softmax(student / 2)[words]
        expected.append(4 * (p * np.log(p / q)).sum())
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_student_of_its_teacher_has_the_labels_left():
    config = run_folder.tiny_config(num_hidden_layers=1)
    model = PretrainingModel(config, init_seed=1)
    batch = {
        "input_ids": tf.constant([[5, 6, 7, 8]] * 2),
        "masked_lm_positions": tf.constant([[1, 2], [3, 0]]),
        "masked_lm_ids": tf.constant([[9, 10], [11, 0]]),
        "masked_lm_weights": tf.constant([[1.0, 1.0], [1.0, 0.0]]),
        "next_sentence_labels": tf.constant([0, 1]),
    }
    outputs = model(batch)
    objective = masked_words.MaskedWords(
        model, model, Settings(0.25), config.vocab_size
    )
    weights = objective.loss_weights(batch)
    assert weights["distillation"] is weights["masked_lm"]
    found = objective.losses(outputs, batch)
    own = model.losses(outputs, batch)
    assert found.keys() == {*own, "distillation"} == {*weights}
    np.testing.assert_allclose(found["masked_lm"], 0.75 * own["masked_lm"])
    np.testing.assert_array_equal(found["next_sentence"], own["next_sentence"])
    np.testing.assert_allclose(found["distillation"], 0, atol=1e-5)
