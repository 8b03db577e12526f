import numpy as np
import pytest

from bert.errors import UserError

NAME = "features"
MASK = np.array([[1, 1, 1], [1, 1, 0]])


def test_the_measure_is_of_vectors(task):
    assert task.measure == "mean_cosine"


def test_vectors_are_those_of_tokens(task):
    asked, rows = task.ask(task.request("the boat"))
    length = len(rows[0].ids)
    vectors = np.arange(2.0 * (length + 4), dtype=np.float32).reshape(-1, 2)
    pooled = np.ones([2], np.float32)
    outputs = {"sequence_output": vectors, "pooled_output": pooled}
    found = task.answer(asked, [outputs])
    assert found["tokens"] == ["[CLS]", "the", "boat", "[SEP]"]
    assert np.array_equal(found["sequence_output"], vectors[:length])
    assert np.array_equal(found["pooled_output"], pooled)
    without = {"sequence_output": vectors}
    assert set(task.answer(asked, [without])) == {"tokens", "sequence_output"}
    outputs["pooled_output"] = pooled * np.nan
    with pytest.raises(UserError, match="not a number"):
        task.answer(asked, [outputs])


def test_vectors_count_by_their_angle_and_padding_does_not(task):
    vectors = np.random.default_rng(0).normal(size=[2, 3, 4])
    batch = {"input_mask": MASK}
    expected = task.predictions({"sequence_output": vectors}, batch)
    assert expected.shape == (5, 4)
    for factor, cosine in ((3, 1), (-1, -1)):
        found = task.quality(factor * expected, expected)
        assert found == pytest.approx(cosine)
