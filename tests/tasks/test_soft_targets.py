"""Logits become fields of records, in the student's order and width."""

import numpy as np
import pytest

from bert.data.records.fields import Field
from bert.tasks import soft_targets, spec

INPUTS = Field("input_ids", 4, per_token=True)


def shapes(targets):
    return {field.name: field.shape for field in targets.fields}


@pytest.mark.parametrize("kind", ["classes", "labels", "number"])
def test_of_records_are_put_in_the_students_order(kind):
    targets = soft_targets.make({"logits": kind}, INPUTS, 3, [2, 0, 1])
    assert shapes(targets) == {"teacher_logits": [3]}
    table = targets.rows({"logits": np.array([1.0, 2.0, 3.0])})
    (found,) = targets.add(table, [{"label_ids": [7]}])
    assert found["label_ids"] == [7]
    assert found["teacher_logits"].tolist() == [3, 1, 2]
    with pytest.raises(ValueError, match="zip"):
        list(targets.add(table, [{}, {}]))


def test_choices_get_a_number_each():
    inputs = Field("input_ids", 12, per_token=True, sequences=3)
    targets = soft_targets.make({"logits": "choices"}, inputs, 1)
    assert shapes(targets) == {"teacher_logits": [3]}
    # Windows of a text are sequences of a row, too, and have logits together.
    targets = soft_targets.make({"logits": "classes"}, inputs, 2)
    assert shapes(targets) == {"teacher_logits": [2]}


def test_words_stand_where_the_student_has_them():
    targets = soft_targets.make({"logits": "words"}, INPUTS, 2, [1, 0])
    assert shapes(targets) == {"teacher_logits": [2, 4]}
    (field,) = targets.fields
    assert field.per_token
    assert field.length == 8
    # The teacher saw three words in one window, the student in two.
    answer = {
        "logits": np.array([[0, 0], [1, 2], [3, 4], [0, 0], [5, 6.0]]),
        "label_mask": np.array([0, 1, 1, 0, 1]),
    }
    table = targets.rows(answer)
    masks = [[0, 1, 0, 1], [0, 0, 1, 0]]
    first, second = targets.add(table, [{"label_mask": m} for m in masks])
    assert first["teacher_logits"].tolist() == [0, 2, 0, 4, 0, 1, 0, 3]
    assert second["teacher_logits"].tolist() == [0, 0, 6, 0, 0, 0, 5, 0]
    with pytest.raises(AssertionError):
        list(targets.add(table, [{"label_mask": masks[1]}]))


def test_tokens_get_the_padding_back():
    targets = soft_targets.make(spec.find("squad").logits, INPUTS, 2)
    names = ("teacher_start_logits", "teacher_end_logits")
    assert shapes(targets) == {name: [4] for name in names}
    assert all(field.per_token for field in targets.fields)
    answer = {"start_logits": [1.0, 2.0], "end_logits": [3.0, 4.0]}
    table = targets.rows({k: np.array(v) for k, v in answer.items()})
    (found,) = targets.add(table, [{}])
    assert [found[name].tolist() for name in names] == [
        [1, 2, 0, 0],
        [3, 4, 0, 0],
    ]
