import numpy as np
import pytest

from bert.data.records.long_texts import LongTexts
from bert.errors import UserError
from tests.tasks import models

OUTPUTS = [{"probabilities": np.array([0.25, 0.5, 0.125], np.float32)}]


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("classification", "eval_accuracy"),
        ("multi_label", "eval_accuracy"),
        ("regression", "pearson"),
    ],
)
def test_every_kind_has_a_measure(name, measure):
    assert models.make(name).measure == measure


def test_one_label_is_the_likeliest():
    assert models.make("classification").answer(None, OUTPUTS) == {
        "label": "ja",
        "probabilities": {"no": 0.25, "ja": 0.5, "?": 0.125},
    }


def test_several_labels_are_those_from_a_half_on():
    outputs = [{"probabilities": OUTPUTS[0]["probabilities"][:2]}]
    assert models.make("multi_label").answer(None, outputs) == {
        "labels": ["light blue"],
        "probabilities": {"red": 0.25, "light blue": 0.5},
    }


def test_a_number_is_the_score():
    outputs = [{"scores": np.array([0.1], np.float32)}]
    assert models.make("regression").answer(None, outputs) == {"score": 0.1}


@pytest.mark.parametrize(("pooling", "score"), [("mean", 2.0), ("max", 4.0)])
def test_a_text_of_windows_has_their_pooled_logits(pooling, score):
    cut = LongTexts("windows", 4, 3, pooling)
    task = models.make("regression", cut=cut)
    windows = [
        {"scores": np.float32([x]), "logits": np.float32([x])} for x in (0, 4)
    ]
    assert task.answer(None, windows) == {"score": score}
    assert task.answer(None, windows[1:]) == {"score": 4.0}
    labels = models.make("multi_label", cut=cut)
    logits = np.float32([[1, -3], [3, -1]])
    pooled = getattr(logits, pooling)(0)
    found = labels.answer(None, [{"logits": row} for row in logits])
    assert found["labels"] == ["red"]
    np.testing.assert_allclose(
        list(found["probabilities"].values()), 1 / (1 + np.exp(-pooled)), 1e-6
    )


@pytest.mark.parametrize("name", ["classification", "multi_label"])
def test_probabilities_that_are_no_numbers_are_refused(name):
    labels = models.LABELS[name]
    outputs = [{"probabilities": np.full([len(labels)], np.nan, np.float32)}]
    with pytest.raises(UserError, match="not a number"):
        models.make(name).answer(None, outputs)


def test_a_label_counts_when_it_is_right():
    task = models.make("classification")
    logits = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 4.0], [1.0, 0.0]])
    batch = {
        "input_mask": np.ones([4, 2]),
        "label_ids": np.array([[0], [1], [0], [0]]),
    }
    found = task.predictions({"logits": logits}, batch)
    assert task.quality(found, task.labels_of(batch)) == 0.75


def test_several_labels_count_when_all_are_right():
    task = models.make("multi_label")
    logits = np.array([[2.0, -1.0], [3.0, 4.0]])
    batch = {"label_ids": np.array([[1, 0], [0, 1]])}
    found = task.predictions({"logits": logits}, batch)
    assert task.quality(found, task.labels_of(batch)) == 0.5


def test_numbers_count_by_their_correlation():
    task = models.make("regression")
    true = np.array([[1.0], [2.0], [3.0]])
    found = np.array([[2.0], [4.0], [6.0]])
    for sign in (1, -1):
        assert task.quality(sign * found, true) == pytest.approx(sign)
